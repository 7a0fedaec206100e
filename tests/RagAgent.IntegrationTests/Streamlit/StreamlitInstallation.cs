using System.Collections;
using System.Collections.Concurrent;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>The virtual environments with real Streamlit that tests/streamlit/install.sh makes.</summary>
internal static class StreamlitInstallation
{
    private const int NotAvailable = 75;

    /// <summary>The newest version, with Uvicorn.</summary>
    public const string WithUvicorn = "1.67.0";

    /// <summary>The last line with Tornado, which many images still run.</summary>
    public const string WithTornado = "1.56.0";

    private static readonly ConcurrentDictionary<string, Lazy<Task<ProcessResult>>> Installed = [];

    public static TheoryData<string> Versions { get; } = [WithUvicorn, WithTornado];

    /// <summary>The virtual environment's folder. Skips the test if Streamlit can't be installed on this machine.</summary>
    public static async Task<string> FolderAsync(string version)
    {
        var installed = await Installed.GetOrAdd(version, v => new(() => RunScriptAsync("install.sh", v))).Value;
        return installed.AssertSucceeded();
    }

    /// <summary>
    /// Runs a script of tests/streamlit, with the settings that decide where pip gets packages from.
    /// Skips the test if the script found no Streamlit.
    /// </summary>
    public static async Task<ProcessResult> RunScriptAsync(string script, params string[] arguments)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => ((string)variable.Key, (string)variable.Value!))
            .Where(variable => variable.Item1 is "HOME" or "PATH" or "RAGAGENT_WHEELS" or "XDG_CACHE_HOME" or "XDG_CONFIG_HOME"
                || variable.Item1.StartsWith("PIP_", StringComparison.Ordinal)
                || variable.Item1.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase))
            .ToDictionary();
        var result = await ProcessRunner.RunAsync(RepositoryFiles.PathOf($"tests/streamlit/{script}"), arguments, environment);
        Assert.SkipWhen(result.ExitCode == NotAvailable, result.Error.Trim());
        return result;
    }
}
