using System.Diagnostics;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed class DemoScriptTests
{
    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task The_help_option_of_the_demo_prints_its_usage_only(string argument)
    {
        var (code, output, error) = await RunAsync(argument);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("  ./demo.sh --check ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("shellcheck", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_unknown_option_of_the_demo_is_wrong_usage() =>
        Assert.Equal((64, "", "demo.sh: unknown option --chek. --help lists the options.\n"), await RunAsync("--chek"));

    private static async Task<(int Code, string Output, string Error)> RunAsync(string argument)
    {
        using var demo = Process.Start(new ProcessStartInfo(RepositoryFiles.PathOf("demo.sh"), [argument])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = demo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await demo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await demo.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (demo.ExitCode, output, await error);
    }
}
