using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using RagAgent.Supervision;

namespace RagAgent.Diagnostics;

/// <summary>Sees in the state what the boot has reached, and keeps it for the next one.</summary>
internal sealed class BootRecorder(BootTimeline timeline, IBoots boots, StateBoard board) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        timeline.Changed += () => news.Writer.TryWrite(true);
        news.Writer.TryWrite(true);
        await Task.WhenAll(WatchAsync(stoppingToken), KeepAsync(news.Reader, stoppingToken));
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        var (revision, state) = board.Read();
        while (!timeline.Now.IsOver)
        {
            foreach (var milestone in Reached(state))
            {
                timeline.Reach(milestone);
            }
            (revision, state) = await board.WaitAsync(revision, stopping);
        }
    }

    private async Task KeepAsync(ChannelReader<bool> news, CancellationToken stopping)
    {
        await foreach (var _ in news.ReadAllAsync(stopping))
        {
            boots.Write(timeline.Previous is { } previous ? [timeline.Now, previous] : [timeline.Now]);
        }
    }

    private static IEnumerable<Milestone> Reached(AgentState s)
    {
        if (s.Secrets.Value is not null)
        {
            yield return Milestone.Secret;
        }
        if (s.Tag.Value is not null)
        {
            yield return Milestone.Digest;
        }
        if (s.Image.Value is not null)
        {
            yield return Milestone.Pull;
        }
        if (s.App is App.Probing or App.Serving)
        {
            yield return Milestone.Start;
        }
        if (s.App is App.Serving)
        {
            yield return Milestone.Healthy;
        }
    }
}
