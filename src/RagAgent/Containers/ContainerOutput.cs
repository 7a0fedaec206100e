using Docker.DotNet.Models;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>What a container wrote, scrubbed of secrets.</summary>
internal sealed class ContainerOutput(EngineConnection connection, SecretVault vault)
{
    private const int LineCount = 10;
    private const int MaxLineLength = 500;
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Its last lines, both streams in order of arrival as far as the engine keeps it; none when they can't be had.</summary>
    public async Task<IReadOnlyList<string>> LastLinesAsync(string id, CancellationToken stopping)
    {
        try
        {
            var (stdout, stderr) = await connection.CallAsync("show the container's output", ReadTimeout, async (docker, token) =>
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
        catch (RagAgent.Common.ProblemException)
        {
            return [];   // an exit is told without its output rather than not at all
        }
    }

    /// <summary>Scrubbed before anything is cut: the beginning of a secret is not known as one.</summary>
    internal static IReadOnlyList<string> LastLines(string stdout, string stderr, Func<string, string> scrub) =>
        [.. scrub($"{stdout}\n{stderr}").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .TakeLast(LineCount).Select(line => line.Length > MaxLineLength ? line[..MaxLineLength] + "…" : line)];
}
