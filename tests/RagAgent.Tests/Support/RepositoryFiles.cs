namespace RagAgent.Tests.Support;

/// <summary>Finds files of the checkout that the tests run in.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(PathOf(path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RagAgent.sln")))
            {
                return folder.FullName;
            }
        }
        throw new DirectoryNotFoundException($"No RagAgent.sln above {AppContext.BaseDirectory}. Run the tests inside a checkout.");
    }
}
