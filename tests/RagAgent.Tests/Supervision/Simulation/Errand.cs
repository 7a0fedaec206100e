using RagAgent.Supervision;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>An effect under way: stages that take place one after the other, and at the end one report.</summary>
internal sealed class Errand(Timeline time, Effect effect, int life)
{
    private readonly Queue<(TimeSpan Delay, Action Do)> _stages = new();

    public Effect Effect => effect;
    public int Life => life;
    public bool IsOver { get; private set; }

    public Errand Then(TimeSpan delay, Action stage)
    {
        _stages.Enqueue((delay, stage));
        return this;
    }

    public void Go()
    {
        if (!IsOver && _stages.TryPeek(out var next))
        {
            time.In(next.Delay, () =>
            {
                if (!IsOver)
                {
                    _stages.Dequeue();
                    next.Do();
                    Go();
                }
            });
        }
    }

    public void End() => IsOver = true;

    /// <summary>Whoever waited for it is gone: of the stages still to come a few take place, or all, or none.</summary>
    public void Cut()
    {
        var left = (int)(time.Luck() * (_stages.Count + 1));
        while (left-- > 0 && !IsOver && _stages.TryDequeue(out var next))
        {
            next.Do();
        }
        End();
    }
}
