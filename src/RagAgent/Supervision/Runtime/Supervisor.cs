using System.Threading.Channels;
using RagAgent.Common;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The loop that owns the state: handles one event at a time through the <see cref="Reducer"/> and starts the effects.</summary>
internal sealed class Supervisor(
    Policy policy,
    EffectRunner effects,
    IStateStore store,
    StateFeed feed,
    IStateObserver observer,
    AgentClock clock) : BackgroundService, IHeartbeat
{
    private readonly Channel<Event> _inbox = Channel.CreateUnbounded<Event>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Never blocks and never drops an event. The event gets the current time.</summary>
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
        using var timer = clock.Time.CreateTimer(
            _ => Post(at => new Event.Tick(at)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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

    /// <summary>Leaves the app running. A start in progress finishes first, including the handover of the secrets.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await effects.FinishAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            observer.StartAbandoned();   // without its secrets the container exits, and the next agent starts it again
        }
    }

    private TimeSpan UntilNextDeadline(AgentState state)
    {
        if (Deadlines.Next(state, policy) is not { } next)
        {
            return Timeout.InfiniteTimeSpan;
        }
        var left = next - clock.Now;
        // A timer may fire slightly early by the monotonic clock. The minimum keeps the loop from spinning.
        return left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left;
    }
}
