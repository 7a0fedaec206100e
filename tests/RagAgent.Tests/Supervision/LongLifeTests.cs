using System.Runtime.CompilerServices;
using RagAgent.Storage;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class LongLifeTests
{
    private readonly ContainerStory _story = new();
    private readonly List<WeakReference> _past = [];

    [Fact]
    public void Of_ten_thousand_restarts_the_state_keeps_what_it_keeps_of_one()
    {
        _story.Serves();
        Restarts(100);
        var written = StateSerializer.Serialize(_story.Memory, "boot").Length;

        Restarts(9_900);

        Assert.Equal(10_000, _story.State.Crashes);
        Assert.InRange(StateSerializer.Serialize(_story.Memory, "boot").Length, 1, written + 20);   // the containers' names have more digits by now
        GC.Collect();
        Assert.InRange(_past.Count(thing => thing.IsAlive), 0, 4);
    }

    private void Restarts(int times)
    {
        for (var time = 0; time < times; time++)
        {
            Remember();
            _story.Crashes().ComesBack().Forget();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Remember()
    {
        _past.Add(new WeakReference(_story.Current));
        _past.Add(new WeakReference(_story.State.LastFailure));
    }
}
