using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Cli;

/// <summary>Tries an image once, with the agent's own startup probe and gate.</summary>
internal sealed class Tryout(AgentConfig config, TryContainer containers, IProber prober, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan MaxWaitForEnd = TimeSpan.FromSeconds(2);

    /// <exception cref="ProblemException">The image could not be started at all.</exception>
    public async Task<TryVerdict> RunAsync(CancellationToken stopping)
    {
        var id = await containers.StartAsync(stopping);
        try
        {
            return await ProbeAsync(id, stopping);
        }
        finally
        {
            await containers.RemoveAsync(id);
        }
    }

    private async Task<TryVerdict> ProbeAsync(string id, CancellationToken stopping)
    {
        var startedAt = time.GetTimestamp();
        while (true)
        {
            var container = await containers.InspectAsync(id, stopping);
            if (!container.IsAlive)
            {
                return new TryVerdict.Died(container.Exit);
            }
            var startup = await prober.ProbeAsync(ProbeKind.Startup, container, sessionLimit: null, stopping);
            if (startup is ProbeResult.Passed)
            {
                return await PassGateAsync(container, startedAt, stopping);
            }
            if (time.GetElapsedTime(startedAt) > config.Health.Startup.Deadline)
            {
                return new TryVerdict.NotReady(startup is ProbeResult.Failed failed ? failed.Error : "it could not be probed");
            }
            await Task.Delay(Pause, time, stopping);
        }
    }

    private async Task<TryVerdict> PassGateAsync(Container container, long startedAt, CancellationToken stopping)
    {
        var result = await prober.ProbeAsync(ProbeKind.Gate, container, config.Health.Gate.Timeout, stopping);
        var took = time.GetElapsedTime(startedAt);
        var end = result is ProbeResult.Passed ? null : await WaitForEndAsync(container.Id, stopping);
        return result switch
        {
            _ when end is not null => new TryVerdict.Died(end.Exit),
            ProbeResult.Passed { Session: SessionReading.Works } => new TryVerdict.Works(took),
            ProbeResult.Passed => new TryVerdict.Answers(took),
            ProbeResult.SessionFailed failed => new TryVerdict.Broken(failed.Error, failed.IsOfTheImage),
            ProbeResult.Failed failed => new TryVerdict.NotReady(failed.Error),
            ProbeResult.NotSent notSent => new TryVerdict.NotReady(notSent.Error),
            _ => throw new InvalidOperationException($"Unknown result {result}."),
        };
    }

    /// <summary>A process that dies closes its session a moment before the engine notices.</summary>
    /// <returns>Null if it lives on.</returns>
    private async Task<Container?> WaitForEndAsync(string id, CancellationToken stopping)
    {
        var startedAt = time.GetTimestamp();
        while (time.GetElapsedTime(startedAt) < MaxWaitForEnd)
        {
            if (await containers.InspectAsync(id, stopping) is { IsAlive: false } ended)
            {
                return ended;
            }
            await Task.Delay(Pause, time, stopping);
        }
        return null;
    }
}
