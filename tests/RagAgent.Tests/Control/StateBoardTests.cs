using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

/// <summary>The board on which everyone who only reads finds the newest state.</summary>
public class StateBoardTests
{
    private readonly StateFeed _board = new();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_has_not_seen_the_newest_gets_it_at_once()
    {
        _board.Publish(Sample.StateWithoutContainer);

        Assert.Equal((1, Sample.StateWithoutContainer), await _board.WaitAsync(0, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_has_seen_it_waits_for_the_next()
    {
        var waiting = _board.WaitAsync(0, TestCancellation);
        Assert.False(waiting.IsCompleted);

        _board.Publish(Sample.StateWithoutContainer);

        Assert.Equal((1, Sample.StateWithoutContainer), await waiting);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task All_who_wait_are_woken()
    {
        var waiting = Enumerable.Range(0, 20).Select(_ => _board.WaitAsync(0, TestCancellation)).ToArray();

        _board.Publish(Sample.StateWithoutContainer);

        Assert.All(await Task.WhenAll(waiting), seen => Assert.Equal(1, seen.Revision));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_gives_up_waiting_gets_nothing_and_disturbs_nobody()
    {
        using var stop = new CancellationTokenSource();
        var givesUp = _board.WaitAsync(0, stop.Token);
        var stays = _board.WaitAsync(0, TestCancellation);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givesUp);
        _board.Publish(Sample.StateWithoutContainer);

        Assert.Equal(1, (await stays).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task However_fast_the_news_come_the_last_is_seen_by_everyone()
    {
        const int news = 2_000;
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            long seen = 0;
            while (seen < news)
            {
                var (revision, state) = await _board.WaitAsync(seen, TestCancellation);
                Assert.True(revision > seen);
                Assert.Equal(revision, state.LastOperation);
                seen = revision;
            }
        }, TestCancellation)).ToArray();
        for (var i = 1; i <= news; i++)
        {
            _board.Publish(new AgentState { LastOperation = i });
        }

        await Task.WhenAll(readers);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
