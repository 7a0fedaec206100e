using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers.AppLogs;

/// <summary>
/// Keeps the positions in the containers' logs across restarts of the agent: one file per container in the state directory.
/// </summary>
/// <remarks>Without a usable state directory, the log is still written, and the problem is logged once.</remarks>
internal sealed class LogPositionStore(AgentConfig config, StateDirectory directory, ILogger<LogPositionStore> logger)
{
    private const string FolderName = "applog";
    private const int IdLength = 64;
    private int _problemLogged;

    // Tells our files from those that another agent left in the directory.
    private string Prefix => $"{config.Container.Name}.";

    /// <returns>Null if the file can't be created.</returns>
    public LogPositionFile? Open(string id) => TryOrLog(() => new LogPositionFile(PathOf(id)));

    /// <returns>False if the file can't be written. It should not be used any more.</returns>
    public bool Write(LogPositionFile positionFile, byte[] record) => TryOrLog(() =>
    {
        positionFile.Write(record);
        return positionFile;
    }) is not null;

    /// <summary>The containers that have a file.</summary>
    public IReadOnlyList<string> ContainerIds() => TryOrLog<IReadOnlyList<string>>(() =>
        [.. Directory.EnumerateFiles(directory.CreateFolder(FolderName), Prefix + "*")
            .Select(path => Path.GetFileName(path)[Prefix.Length..])
            .Where(id => id.Length == IdLength && id.All(char.IsAsciiHexDigit))]) ?? [];

    public void Delete(string id) => TryOrLog(() =>
    {
        File.Delete(PathOf(id));
        return id;
    });

    private string PathOf(string id) => Path.Combine(directory.CreateFolder(FolderName), Prefix + id);

    private T? TryOrLog<T>(Func<T> action)
        where T : class
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (Interlocked.Exchange(ref _problemLogged, 1) == 0)
            {
                logger.StateDirectoryUnusable(new Problem(ProblemCatalog.StateDirectory,
                    $"The state directory {directory.Path} can't be used: {exception.Message.TrimEnd('.')}.",
                    "Free some space, or let the agent's user write there (--state-dir names another directory). Until then, a restarted " +
                    "agent knows only from the container's labels what was rolled back or stopped, and doesn't know how far the app's log " +
                    "was written."));
            }
            return null;
        }
    }
}
