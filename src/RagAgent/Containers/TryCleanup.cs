using Docker.DotNet;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>Removes the container of <c>ragagent try</c> when that process has ended, however it ended.</summary>
internal sealed class TryCleanup(EngineConnection connection)
{
    // The engine may still be creating the container when the process is killed.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromSeconds(60);

    /// <param name="name">The container's name.</param>
    /// <param name="parent">Ends when the process does. A byte in it means that the process has removed the container itself.</param>
    public async Task RunAsync(string name, Stream parent)
    {
        if (await parent.ReadAsync(new byte[1]) > 0)
        {
            return;
        }
        for (var waited = TimeSpan.Zero; waited < MaxWait; waited += Pause)
        {
            if (await TryRemoveAsync(name))
            {
                return;
            }
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task<bool> TryRemoveAsync(string name)
    {
        try
        {
            await connection.CallAsync("remove the container", RemoveTimeout, (docker, token) =>
                docker.Containers.RemoveContainerAsync(name, ContainerLauncher.WithAnonymousVolumes(), token), CancellationToken.None);
            return true;
        }
        catch (ProblemException exception) when (exception.InnerException is DockerApiException || exception.Problem.IsUnanswered)
        {
            return false;
        }
    }
}
