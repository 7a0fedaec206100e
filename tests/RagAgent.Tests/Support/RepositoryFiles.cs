namespace RagAgent.Tests.Support;

/// <summary>Files of the repository that the tests hold together.</summary>
internal static class RepositoryFiles
{
    public static string Read(string path) => File.ReadAllText(PathOf(path));

    public static string PathOf(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RagAgent.sln")))
            {
                return Path.Combine(folder.FullName, path);
            }
        }

        throw new DirectoryNotFoundException($"No RagAgent.sln above {AppContext.BaseDirectory}.");
    }
}
