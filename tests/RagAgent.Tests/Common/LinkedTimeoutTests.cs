using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Common;

public sealed class LinkedTimeoutTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_token_is_canceled_after_the_time()
    {
        using var timeout = new LinkedTimeout(TimeSpan.FromSeconds(5), _time, CancellationToken.None);

        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(timeout.Token.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.True(timeout.Token.IsCancellationRequested);
        Assert.True(timeout.HasExpired);
    }

    [Fact]
    public void The_callers_token_cancels_it_without_expiry()
    {
        using var caller = new CancellationTokenSource();
        using var timeout = new LinkedTimeout(TimeSpan.FromSeconds(5), _time, caller.Token);

        caller.Cancel();

        Assert.True(timeout.Token.IsCancellationRequested);
        Assert.False(timeout.HasExpired);
    }

    [Fact]
    public void A_restart_measures_the_time_from_now()
    {
        using var timeout = new LinkedTimeout(TimeSpan.FromSeconds(5), _time, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(4));

        timeout.Restart(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(timeout.HasExpired);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.True(timeout.HasExpired);
    }

    [Fact]
    public async Task Without_a_time_only_a_call_ends_it()
    {
        using var timeout = new LinkedTimeout(Timeout.InfiniteTimeSpan, _time, CancellationToken.None);
        _time.Advance(TimeSpan.FromDays(10));
        Assert.False(timeout.HasExpired);

        await timeout.ExpireAsync();

        Assert.True(timeout.Token.IsCancellationRequested);
    }
}
