using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.Runtime;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>systemd is notified as long as each of the agent's loops responds, and no longer.</summary>
public sealed class WatchdogTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TimerCountingTimeProvider _time = new();
    private readonly FakeSystemdNotifier _systemd = new();
    private readonly FakeLoop _one = new(), _other = new();
    private readonly List<string> _logMessages = [];
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task While_all_loops_respond_systemd_is_notified_four_times_per_limit()
    {
        using var watchdog = StartWatchdog(Limit, _one, _other);
        for (var round = 1; round <= 8; round++)
        {
            await Wait.UntilAsync(() => _one.Asked == round && _other.Asked == round, TestContext.Current.CancellationToken);
            Assert.Equal(round - 1, _systemd.Count);
            _one.CompleteRound();
            _other.CompleteRound();
            Assert.Equal("WATCHDOG=1", await _systemd.NextNotificationAsync());
            // A timeout per loop, and the pause.
            await Wait.UntilAsync(() => _time.Timers == 3 * round, TestContext.Current.CancellationToken);
            _time.Advance(Limit / 4);
        }
        await watchdog.StopAsync(TestContext.Current.CancellationToken);
        Assert.Empty(_logMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_stuck_loop_is_logged_once_and_stops_notifications_until_it_responds()
    {
        using var watchdog = StartWatchdog(Limit, _other);
        await Wait.UntilAsync(() => _time.Timers == 1, TestContext.Current.CancellationToken);
        _time.Advance(Limit / 4);
        await Wait.UntilAsync(() => _logMessages.Count == 1, TestContext.Current.CancellationToken);
        _time.Advance(Limit);
        Assert.Equal(0, _systemd.Count);

        _other.CompleteRound();
        Assert.Equal("WATCHDOG=1", await _systemd.NextNotificationAsync());
        await watchdog.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            [
                "The agent's loop has not responded for 15s. If it doesn't within 1m, systemd restarts the agent; the app keeps running.",
                "The agent's loop responds again.",
            ], _logMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_watchdog_no_loop_is_asked()
    {
        using var watchdog = StartWatchdog(null, _one, _other);
        await watchdog.ExecuteTask!.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, 0), (_one.Asked, _systemd.Count));
    }

    [Theory]
    [InlineData("60000000", "7", 60)]
    [InlineData("60000000", null, 60)]
    [InlineData("60000000", "", 60)]
    [InlineData("60000000", "8", null)]   // for a parent process
    [InlineData("0", "7", null)]
    [InlineData("-1", "7", null)]
    [InlineData("soon", "7", null)]
    [InlineData(null, null, null)]
    public void The_limit_is_parsed_from_systemds_environment_variables(string? microseconds, string? pid, int? seconds) =>
        Assert.Equal(seconds is { } value ? TimeSpan.FromSeconds(value) : null, WatchdogTimeout.Parse(microseconds, pid, ownPid: 7).Value);

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task While_the_agent_stops_no_loop_counts_as_stuck()
    {
        using var watchdog = StartWatchdog(Limit, _one);
        await Wait.UntilAsync(() => _time.Timers == 1, TestContext.Current.CancellationToken);

        _lifetime.StopApplication();
        _time.Advance(Limit);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watchdog.ExecuteTask!);
        Assert.Empty(_logMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_supervisor_answers_a_heartbeat()
    {
        await using var agent = new SupervisorFixture(FreePort.Find());
        var beat = agent.Supervisor.BeatAsync(TestContext.Current.CancellationToken);
        Assert.False(beat.IsCompleted);
        await agent.StartAsync(TestContext.Current.CancellationToken);
        await beat;
        await agent.Supervisor.BeatAsync(TestContext.Current.CancellationToken);
    }

    private Watchdog StartWatchdog(TimeSpan? limit, params FakeLoop[] loops)
    {
        var watchdog = new Watchdog(loops, _systemd, new WatchdogTimeout(limit), _lifetime, _time, new ListLogger<Watchdog>(_logMessages));
        watchdog.StartAsync(TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return watchdog;
    }

    /// <summary>Counts the started timers, so that a test advances the clock only once something waits for it.</summary>
    private sealed class TimerCountingTimeProvider : FakeTimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _timers);
            return timer;
        }
    }

    private sealed class FakeLoop : IHeartbeat
    {
        private TaskCompletionSource _round = new();

        public int Asked { get; private set; }

        public string Name => "loop";

        public Task BeatAsync(CancellationToken stopping)
        {
            _round = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Asked++;
            return _round.Task.WaitAsync(stopping);
        }

        public void CompleteRound() => _round.SetResult();
    }
}
