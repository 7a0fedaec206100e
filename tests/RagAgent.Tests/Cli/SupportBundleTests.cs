using System.Formats.Tar;
using System.IO.Compression;
using RagAgent.Cli;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Cli;

public sealed class SupportBundleTests : IDisposable
{
    private const string Secret = "sk-secret-0123456789";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-bundle-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(8 * 1024 * 1024 - 10)]   // the cut goes through it
    public async Task No_part_of_a_secret_is_left_wherever_a_text_is_cut(int behind)
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text.Replace(Secret, "***", StringComparison.Ordinal)))
        {
            bundle.Add("log.txt", "before " + Secret + new string('x', behind));
        }

        var (name, text) = await OnlyEntryAsync(path);
        Assert.Equal("bundle/log.txt", name);
        Assert.DoesNotContain("0123", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_a_command_says_before_it_fails_is_redacted_as_well()
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text))
        {
            await bundle.AddCommandAsync("units.txt", text => text.Replace(Secret, "***", StringComparison.Ordinal), TestContext.Current.CancellationToken,
                "sh", "-c", $"echo {Secret}; echo No such unit >&2; exit 1");
        }

        Assert.Equal(("bundle/units.txt", "***\nNo such unit\nIt ended with 1.\n"), await OnlyEntryAsync(path));
    }

    private static async Task<(string Name, string Text)> OnlyEntryAsync(string archive)
    {
        await using var tar = new TarReader(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress));
        var entry = (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken))!;
        using var reader = new StreamReader(entry.DataStream!);
        return (entry.Name, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
