using RagAgent.Diagnostics.Logging;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

public sealed class StatusLineTests : IDisposable
{
    private readonly StateFeed _board = new();
    private readonly FakeSystemdNotifier _systemd = new();
    private readonly StringWriter _out = new();

    public void Dispose() => _out.Dispose();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Each_headline_goes_to_systemd_once_and_the_pull_progress_to_the_terminal()
    {
        using var line = new StatusLine(_board, Sample.DefaultPolicy, _systemd, new OutputSink(OutputKind.Terminal, text => text, _out));
        await line.StartAsync(TestContext.Current.CancellationToken);
        await HeadlineAsync("Asking Docker Engine what is running.");
        _board.Publish(Sample.StateWithoutContainer);
        await HeadlineAsync("Asking the registry for the newest image.");
        for (var sessions = 1; sessions <= 100; sessions++)
        {
            _board.Publish(Sample.StateWithoutContainer with { Sessions = Sample.OpaqueSessions(sessions) });
            await Task.Yield();
        }
        _board.Publish(
            Sample.StateWithoutContainer with
            {
                Tag = Sample.Loaded(Sample.CurrentResolution),
                Pull = Sample.StateWithoutContainer.Pull with
                {
                    Progress = new PullProgress(0.5, 500, 1000),
                }
            });
        await HeadlineAsync("Pulling registry/app:latest: 50 % (500 B of 1 kB).");
        await line.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(3, _systemd.Count);
        Assert.Equal("\r\x1b[K[███████████████···············]  50 %  500 B of 1 kB\r\x1b[K", _out.ToString());
    }

    private async Task HeadlineAsync(string headline) => Assert.Equal($"STATUS={headline}", await _systemd.NextNotificationAsync());
}
