using RagAgent.Tests.Support;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>Releases of one app, good/release.</summary>
internal static class StreamlitReleases
{
    /// <summary>Writes a release of the app.</summary>
    /// <returns>A file for <see cref="StreamlitTestBase.PushStreamlitAsync"/>.</returns>
    public static string Write(string folder, int release)
    {
        const string marker = "RELEASE = 1\n";
        var code = File.ReadAllText(RepositoryFiles.PathOf("tests/streamlit/apps/good/release.py"));
        if (!code.Contains(marker, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The app does not set its release.");
        }
        var file = Path.Combine(folder, $"release-{release}.py");
        File.WriteAllText(file, code.Replace(marker, $"RELEASE = {release}\n", StringComparison.Ordinal));
        return file;
    }
}
