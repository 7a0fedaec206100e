using System.Threading.Channels;
using RagAgent.Common;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The one loop that owns the state: reads events one at a time, asks the <see cref="Reducer"/>, begins the effects.</summary>
internal sealed class Supervisor(Policy policy, EffectRunner effects, IStateStore store, StateFeed feed, IStateObserver observer, AgentClock clock) : BackgroundService, IHeartbeat
{
    private readonly Channel<Event> _inbox = Channel.CreateUnbounded<Event>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Never blocks and never drops; the time of the event is now.</summary>
    public void Post(Func<Moment, Event> what) => _inbox.Writer.TryWrite(what(clock.Now));

    public string Name => "supervision";

    public async Task BeatAsync(CancellationToken stopping)
    {
        var (revision, _) = feed.Read();
        Post(at => new Event.Tick(at));
        await feed.WaitAsync(revision, stopping);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = clock.Time.CreateTimer(_ => Post(at => new Event.Tick(at)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var state = AgentState.Begin(store.Load(), seed: (ulong)clock.Time.GetTimestamp());
        Post(at => new Event.Tick(at));
        await foreach (var @event in _inbox.Reader.ReadAllAsync(stoppingToken))
        {
            var (next, wanted) = Reducer.Next(state, @event, policy);
            observer.Changed(state, next, @event);
            state = next;
            feed.Publish(state);
            foreach (var effect in wanted)
            {
                effects.Start(effect, Post, stoppingToken);
            }
            timer.Change(UntilNextDeadline(state), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Leaves the app running, but not half started: what was being handed over is handed over first.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await effects.FinishAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            observer.StartAbandoned();   // the container gives up by itself without its secrets, and the next agent starts it anew
        }
    }

    private TimeSpan UntilNextDeadline(AgentState state)
    {
        if (Deadlines.Next(state, policy) is not { } next)
        {
            return Timeout.InfiniteTimeSpan;
        }
        var left = next - clock.Now;
        // A timer may fire a hair early by the monotonic clock; a floor keeps that from spinning.
        return left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left;
    }
}
