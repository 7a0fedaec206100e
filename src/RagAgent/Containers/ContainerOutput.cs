using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>Reads what a container wrote and removes secrets from it.</summary>
internal sealed class ContainerOutput(EngineConnection connection, SecretVault vault)
{
    private const int LineCount = 10;
    private const int MaxLineLength = 500;
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The last lines of both streams, in order of arrival as far as the engine keeps it. Empty if they can't be read.</summary>
    public async Task<IReadOnlyList<string>> LastLinesAsync(string id, CancellationToken stopping)
    {
        try
        {
            var (stdout, stderr) = await connection.CallAsync("read the container's output", ReadTimeout, async (docker, token) =>
            {
                var logs = await docker.Containers.GetContainerLogsAsync(id,
                    new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = $"{LineCount}" }, token);
                using (logs)
                {
                    return await logs.ReadOutputToEndAsync(token);
                }
            }, stopping);
            return LastLines(stdout, stderr, vault.Scrub);
        }
        catch (ProblemException)
        {
            return [];   // an exit without its output is better than no report of the exit
        }
    }

    /// <summary>Scrubs before it cuts: the beginning of a secret would not be recognized.</summary>
    internal static IReadOnlyList<string> LastLines(string stdout, string stderr, Func<string, string> scrub) =>
        [.. scrub($"{stdout}\n{stderr}").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .TakeLast(LineCount).Select(line => line.Length > MaxLineLength ? line[..MaxLineLength] + "…" : line)];
}
