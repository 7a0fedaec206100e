using RagAgent.Supervision;

namespace RagAgent.Tests.Simulation;

/// <summary>An effect in progress: one stage after another, and one report at the end.</summary>
internal sealed class PendingEffect(VirtualTime time, Effect effect, int life)
{
    private readonly Queue<(TimeSpan Delay, Action Do)> _stages = new();

    public Effect Effect => effect;
    public int AgentLife => life;
    public bool IsFinished { get; private set; }

    public PendingEffect Then(TimeSpan delay, Action stage)
    {
        _stages.Enqueue((delay, stage));
        return this;
    }

    public void RunNext()
    {
        if (!IsFinished && _stages.TryPeek(out var next))
        {
            time.Schedule(next.Delay, () =>
            {
                if (!IsFinished)
                {
                    _stages.Dequeue();
                    next.Do();
                    RunNext();
                }
            });
        }
    }

    public void Finish() => IsFinished = true;

    /// <summary>Whoever waited for it is gone: of the stages still to come a few take place, or all, or none.</summary>
    public void Abandon()
    {
        var left = (int)(time.NextDouble() * (_stages.Count + 1));
        while (left-- > 0 && !IsFinished && _stages.TryDequeue(out var next))
        {
            next.Do();
        }
        Finish();
    }
}
