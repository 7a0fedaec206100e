using System.Threading.Channels;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics;

/// <summary>Derives from the state which milestones the boot has reached, and saves them for the next boot.</summary>
internal sealed class BootRecorder(BootTimeline timeline, IBootStore store, StateFeed feed) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        timeline.Changed += () => changes.Writer.TryWrite(true);
        changes.Writer.TryWrite(true);
        await Task.WhenAll(WatchAsync(stoppingToken), SaveChangesAsync(changes.Reader, stoppingToken));
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        var (revision, state) = feed.Read();
        while (!timeline.Current.IsComplete)
        {
            foreach (var milestone in ReachedBootMilestones.Reached(state))
            {
                timeline.Reach(milestone);
            }
            (revision, state) = await feed.WaitAsync(revision, stopping);
        }
    }

    private async Task SaveChangesAsync(ChannelReader<bool> changes, CancellationToken stopping)
    {
        await foreach (var _ in changes.ReadAllAsync(stopping))
        {
            store.Write(timeline.Previous is { } previous ? [timeline.Current, previous] : [timeline.Current]);
        }
    }
}
