using Docker.DotNet.Models;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Containers;

/// <summary>What a container wrote, scrubbed of secrets.</summary>
internal sealed class ContainerOutput(EngineConnection connection, SecretVault vault)
{
    private const int Lines = 10;
    private const int LongestLine = 500;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Its last lines, both streams in order of arrival as far as the engine keeps it; none when they can't be had.</summary>
    public async Task<IReadOnlyList<string>> LastLinesAsync(string id, CancellationToken stopping)
    {
        try
        {
            var (stdout, stderr) = await connection.CallAsync("show the container's output", Timeout, async (docker, token) =>
            {
                var logs = await docker.Containers.GetContainerLogsAsync(id,
                    new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = $"{Lines}" }, token);
                using (logs)
                {
                    return await logs.ReadOutputToEndAsync(token);
                }
            }, stopping);
            return LastLines(stdout, stderr, vault.Scrub);
        }
        catch (Supervision.ProblemException)
        {
            return [];   // an exit is told without its output rather than not at all
        }
    }

    /// <summary>Scrubbed before anything is cut: the beginning of a secret is not known as one.</summary>
    internal static IReadOnlyList<string> LastLines(string stdout, string stderr, Func<string, string> scrub) =>
        [.. scrub($"{stdout}\n{stderr}").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .TakeLast(Lines).Select(line => line.Length > LongestLine ? line[..LongestLine] + "…" : line)];
}
