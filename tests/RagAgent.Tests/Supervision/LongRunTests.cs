using System.Runtime.CompilerServices;
using RagAgent.Storage;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class LongRunTests
{
    private readonly ContainerStory _story = new();
    private readonly List<WeakReference> _history = [];

    [Fact]
    public void The_state_does_not_grow_over_ten_thousand_restarts()
    {
        _story.StartServing();
        RestartTimes(100);
        var written = StateSerializer.Serialize(_story.Memory, "boot", Sample.Clock).Length;

        RestartTimes(9_900);

        Assert.Equal(10_000, _story.State.Failures.Crashes);
        Assert.InRange(StateSerializer.Serialize(_story.Memory, "boot", Sample.Clock).Length, 1, written + 20);   // the containers' names have more digits by now
        GC.Collect();
        Assert.InRange(_history.Count(thing => thing.IsAlive), 0, 4);
    }

    private void RestartTimes(int times)
    {
        for (var time = 0; time < times; time++)
        {
            RecordState();
            _story.Crash().RestartAfterBackoff().ForgetStartedEffects();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RecordState()
    {
        _history.Add(new WeakReference(_story.CurrentContainer));
        _history.Add(new WeakReference(_story.State.Failures.Last));
    }
}
