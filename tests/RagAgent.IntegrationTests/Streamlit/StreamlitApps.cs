using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>The apps in tests/streamlit/apps. An app is a file NAME.py, or a folder NAME with app.py and more.</summary>
internal static class StreamlitApps
{
    private static readonly string Root = RepositoryFiles.PathOf("tests/streamlit/apps");

    /// <summary>The names of the apps that work, such as <c>good/plain</c>.</summary>
    public static IReadOnlyList<string> Good { get; } = NamesIn("good");

    /// <summary>The names of the apps that must not replace a working one.</summary>
    public static IReadOnlyList<string> Broken { get; } = NamesIn("broken");

    /// <summary>Apps, good and broken, whose run never ends.</summary>
    public static IReadOnlyList<string> Endless { get; } = ["good/live_loop", "good/sys_exit", "broken/endless_rerun", "broken/hangs"];

    /// <summary>Each app with each version of Streamlit.</summary>
    public static TheoryData<string, string> OnBothServers(IEnumerable<string> apps) =>
        [.. apps.SelectMany(app => StreamlitInstallation.Versions.Select(version => (app, version.Data)))];

    /// <summary>Copies the app into the folder, as app.py and what belongs to it.</summary>
    public static void CopyTo(string app, string folder)
    {
        var source = Path.Combine(Root, app);
        if (!Directory.Exists(source))
        {
            File.Copy($"{source}.py", Path.Combine(folder, "app.py"));
            return;
        }
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static IReadOnlyList<string> NamesIn(string kind) =>
    [
        .. new DirectoryInfo(Path.Combine(Root, kind)).EnumerateFileSystemInfos()
            .Select(entry => $"{kind}/{Path.GetFileNameWithoutExtension(entry.Name)}")
            .Order(StringComparer.Ordinal),
    ];
}
