using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Shows the headline in systemd's status line, and the progress of a pull at the bottom of a terminal.</summary>
internal sealed class StatusLine(StateFeed feed, Policy policy, ISystemdNotifier systemd, OutputSink output) : BackgroundService
{
    private const int BarWidth = 30;

    // systemd accepts 4096 bytes, and a character may take four.
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
        var bar = new string('█', full) + new string('·', BarWidth - full);
        var bytes = $"{Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}";
        return $"[{bar}] {progress.Percent,3} %  {bytes}";
    }
}
