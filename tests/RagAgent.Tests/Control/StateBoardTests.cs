using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

/// <summary>The feed on which every reader finds the newest state.</summary>
public class StateBoardTests
{
    private readonly StateFeed _feed = new();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_reader_with_an_old_revision_gets_the_newest_at_once()
    {
        _feed.Publish(Sample.StateWithoutContainer);

        Assert.Equal((1, Sample.StateWithoutContainer), await _feed.WaitAsync(0, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_reader_with_the_newest_revision_waits_for_the_next()
    {
        var waiting = _feed.WaitAsync(0, TestCancellation);
        Assert.False(waiting.IsCompleted);

        _feed.Publish(Sample.StateWithoutContainer);

        Assert.Equal((1, Sample.StateWithoutContainer), await waiting);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task All_waiting_readers_are_woken()
    {
        var waiting = Enumerable.Range(0, 20).Select(_ => _feed.WaitAsync(0, TestCancellation)).ToArray();

        _feed.Publish(Sample.StateWithoutContainer);

        Assert.All(await Task.WhenAll(waiting), seen => Assert.Equal(1, seen.Revision));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_cancelled_reader_does_not_affect_the_others()
    {
        using var stop = new CancellationTokenSource();
        var cancelled = _feed.WaitAsync(0, stop.Token);
        var other = _feed.WaitAsync(0, TestCancellation);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _feed.Publish(Sample.StateWithoutContainer);

        Assert.Equal(1, (await other).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Every_reader_sees_the_last_revision_however_fast_they_are_published()
    {
        const int revisions = 2_000;
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            long seen = 0;
            while (seen < revisions)
            {
                var (revision, state) = await _feed.WaitAsync(seen, TestCancellation);
                Assert.True(revision > seen);
                Assert.Equal(revision, state.LastOperation);
                seen = revision;
            }
        }, TestCancellation)).ToArray();
        for (var i = 1; i <= revisions; i++)
        {
            _feed.Publish(new AgentState { LastOperation = i });
        }

        await Task.WhenAll(readers);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
