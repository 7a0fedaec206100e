using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

public class ContainerOutputTests
{
    private const string Secret = "sk-0123456789";
    private readonly SecretVault _vault = new();

    public ContainerOutputTests() => _vault.Store("one", [new LoadedSecret("KEY", new SecretValue(Secret), SecretDelivery.Memory)]);

    [Fact]
    public void The_last_ten_lines_of_both_streams_are_shown() =>
        Assert.Equal(
            [.. Enumerable.Range(13, 8).Select(i => $"line {i}"), "error 1", "error 2"],
            ContainerOutput.LastLines(string.Join('\n', Enumerable.Range(1, 20).Select(i => $"line {i}\r")) + "\n", "error 1\n\n error 2", _vault.Scrub));

    [Fact]
    public void Secrets_are_removed_from_the_output() => Assert.Equal(["key is ***."], ContainerOutput.LastLines($"key is {Secret}.", "", _vault.Scrub));

    [Fact]
    public void A_long_output_line_is_cut_but_never_inside_a_secret()
    {
        for (var before = 480; before < 510; before++)
        {
            var line = Assert.Single(ContainerOutput.LastLines(new string('x', before) + Secret + new string('y', 500), "", _vault.Scrub));

            Assert.Equal(501, line.Length);
            Assert.EndsWith("…", line, StringComparison.Ordinal);
            Assert.DoesNotContain("s", line, StringComparison.Ordinal);
        }
    }
}
