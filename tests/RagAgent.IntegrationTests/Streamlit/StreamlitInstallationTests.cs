using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

public sealed class StreamlitInstallationTests
{
    [Theory]
    [InlineData("install.sh", "1.67.0")]
    [InlineData("build.sh", "--engine", "unix:///nonexistent", "--tag", "unused", "--version", "1.56.0", "--app", "good/plain")]
    public async Task Without_wheels_and_package_index_Streamlit_is_reported_as_not_available(string script, params string[] arguments)
    {
        var empty = Directory.CreateTempSubdirectory("ragst.").FullName;
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = empty,
            ["RAGAGENT_WHEELS"] = empty,
            ["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple",   // nothing listens there
            ["PIP_FIND_LINKS"] = "",
        };

        try
        {
            var program = RepositoryFiles.PathOf($"tests/streamlit/{script}");
            var result = await ProcessRunner.RunAsync(program, arguments, environment, stopping: TestContext.Current.CancellationToken);

            Assert.Equal(75, result.ExitCode);
            Assert.Contains(
                $"is not available: {empty} has no wheels, and pip reaches no package index.", result.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(empty, recursive: true);
        }
    }
}
