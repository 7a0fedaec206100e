using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Keeps the headline where people look: systemd's status line, and the bottom of a terminal.</summary>
internal sealed class StatusLine(StateFeed feed, Policy policy, ISystemdNotifier systemd, OutputSink output) : BackgroundService
{
    private const int BarWidth = 30;

    // Of what systemd takes (4096 bytes), with room for characters of four bytes.
    private const int MaxLength = 1000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (revision, state) = feed.Read();
        var lastHeadline = "";
        while (true)
        {
            var headline = Headline.Describe(state, policy);
            if (headline != lastHeadline)
            {
                systemd.Notify(new ServiceState($"STATUS={UntrustedText.ToLine(headline, MaxLength)}"));
                lastHeadline = headline;
            }
            output.ShowStatus(state.Pull.Progress is { } progress ? ProgressBar(progress) : "");
            (revision, state) = await feed.WaitAsync(revision, stoppingToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        output.ShowStatus("");
    }

    private static string ProgressBar(PullProgress progress)
    {
        var full = (int)(progress.Fraction * BarWidth);
        return $"[{new string('█', full)}{new string('·', BarWidth - full)}] {progress.Percent,3} %  {Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}";
    }
}
