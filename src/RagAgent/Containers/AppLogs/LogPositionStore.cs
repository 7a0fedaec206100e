using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers.AppLogs;

/// <summary>The places in the containers' logs that outlive the agent: a file a container, in the state directory.</summary>
/// <remarks>Without a state directory the log is written all the same: what is missing then is said once.</remarks>
internal sealed class LogPositionStore(AgentConfig config, StateDirectory directory, ILogger<LogPositionStore> logger)
{
    private const string FolderName = "applog";
    private const int IdLength = 64;
    private int _problemLogged;

    // What another agent may have left in the directory is not taken for ours.
    private string Prefix => $"{config.Container.Name}.";

    /// <returns>Null when it can't be made.</returns>
    public LogPositionFile? Open(string id) => TryOrLog(() => new LogPositionFile(Path.Combine(directory.CreateFolder(FolderName), Prefix + id)));

    /// <returns>False when it could not be written: it is of no use any more.</returns>
    public bool Write(LogPositionFile positionFile, byte[] record) => TryOrLog(() =>
    {
        positionFile.Write(record);
        return positionFile;
    }) is not null;

    /// <summary>The containers that have a file.</summary>
    public IReadOnlyList<string> ContainerIds() => TryOrLog<IReadOnlyList<string>>(() =>
        [.. Directory.EnumerateFiles(directory.CreateFolder(FolderName), Prefix + "*").Select(path => Path.GetFileName(path)[Prefix.Length..])
            .Where(id => id.Length == IdLength && id.All(char.IsAsciiHexDigit))]) ?? [];

    public void Delete(string id) => TryOrLog(() =>
    {
        File.Delete(Path.Combine(directory.CreateFolder(FolderName), Prefix + id));
        return id;
    });

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
                logger.StateDirectoryUnusable(new Problem(ProblemCatalog.StateDirectory, $"The state directory {directory.Path} can't be used: {exception.Message.TrimEnd('.')}.",
                    "Free some space, or let the agent's user write there (--state-dir names another directory). Until then a restarted agent knows what was rolled back or stopped by the container's labels alone, and not how far the app's log was written."));
            }
            return null;
        }
    }
}
