using System.Net;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Aws.Dns;

/// <summary>Keeps the name in <c>dns</c> pointing to this machine. Failures are reported and retried, and nothing waits for them.</summary>
internal sealed class DnsRecordUpdater(
    AgentConfig config,
    InstanceMetadata metadata,
    Route53Client route53,
    DnsStateHolder dnsState,
    ShutdownDetector shutdown,
    IHostApplicationLifetime lifetime,
    AgentClock clock,
    ILogger<DnsRecordUpdater> logger) : BackgroundService
{
    // No event reports a new address (an Elastic IP, a machine that slept). Reading the metadata is local and cheap.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(2);
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));

    // The machine's shutdown waits for this.
    private static readonly TimeSpan DeleteTimeout = TimeSpan.FromSeconds(5);

    // The addresses that this agent may have written to the name's records.
    private readonly HashSet<IPAddress> _ownAddresses = [];

    // The addresses for which everything was right at the last check.
    private IReadOnlyList<IPAddress>? _upToDate;
    private IReadOnlyList<Problem> _loggedProblems = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Dns is not { } dns)
        {
            return;
        }
        // Starts when the agent begins to stop, in parallel with the other services, not after them.
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await MaintainAsync(dns, linked.Token);
        }
        catch (OperationCanceledException) when (linked.IsCancellationRequested)
        {
            await DeleteOnShutdownAsync(dns);
        }
    }

    private async Task MaintainAsync(DnsConfig dns, CancellationToken stopping)
    {
        for (var failures = 0; ;)
        {
            var status = await CheckAsync(dns, stopping);
            failures = status.Problems.Count == 0 ? 0 : failures + 1;
            var delay = failures == 0
                ? CheckInterval
                : LongerOf(RetryBackoff.After(failures, Random.Shared.NextDouble()), status.Problems[0].RetryAfter);
            foreach (var problem in status.Problems.Except(_loggedProblems))
            {
                logger.DnsProblem(problem);
            }
            _loggedProblems = status.Problems;
            if (status != dnsState.Current)
            {
                dnsState.Update(status with { NextTry = failures == 0 ? null : clock.Now + delay });
            }
            await Task.Delay(delay, clock.Time, stopping);
        }
    }

    private async Task<DnsState> CheckAsync(DnsConfig dns, CancellationToken stopping)
    {
        var activeAddresses = new List<IPAddress>();
        try
        {
            if (await PublicAddressesAsync(stopping) is not { } publicAddresses ||
                (_upToDate is { } upToDate && publicAddresses.SequenceEqual(upToDate)))
            {
                return dnsState.Current;   // nothing changed, so Route 53 is not called
            }
            _upToDate = null;
            if (publicAddresses.Count == 0)
            {
                return new DnsState([], [DnsPlan.NoPublicAddress(dns)], null);
            }
            var plan = DnsPlan.Of(dns, publicAddresses, await route53.ListAsync(dns, stopping));
            foreach (var ip in plan.UpToDate)
            {
                MarkWritten(ip);
                activeAddresses.Add(ip);
            }
            foreach (var ip in plan.ToWrite)
            {
                _ownAddresses.Add(ip);   // before the call: an interrupted call may have written the record
                await route53.UpsertAsync(dns, ip, stopping);
                MarkWritten(ip);
                activeAddresses.Add(ip);
            }
            LogAddresses(dns, activeAddresses, isNew: plan.ToWrite.Count > 0);
            _upToDate = plan.Problems.Count == 0 ? publicAddresses : null;
            return new DnsState(activeAddresses, plan.Problems, null);
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            return new DnsState(activeAddresses, [ExceptionMapping.ToProblem(exception)], null);
        }
    }

    /// <summary>A record now has this address, so no earlier one of the same family.</summary>
    private void MarkWritten(IPAddress ip)
    {
        _ownAddresses.RemoveWhere(earlier => earlier.AddressFamily == ip.AddressFamily);
        _ownAddresses.Add(ip);
    }

    /// <returns>Null if the metadata can't be read now; then the last known addresses still count.</returns>
    private async Task<IReadOnlyList<IPAddress>?> PublicAddressesAsync(CancellationToken stopping)
    {
        try
        {
            return await metadata.PublicAddressesAsync(stopping);
        }
        catch (ProblemException) when (_upToDate is not null)
        {
            return null;
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImdsDisabled)
        {
            throw new ProblemException(NoMetadata(config.Dns!), exception);
        }
    }

    /// <summary>The problem on a machine that isn't an instance, or where the metadata service is disabled.</summary>
    public static Problem NoMetadata(DnsConfig dns) => new(ProblemCatalog.DnsNoMetadata,
        $"The instance metadata service is disabled (AWS_EC2_METADATA_DISABLED), so the address for {dns.Name} is unknown.",
        "Enable it, or set dns to null if this is not an EC2 instance.");

    private void LogAddresses(DnsConfig dns, List<IPAddress> activeAddresses, bool isNew)
    {
        if (activeAddresses.Count == 0)
        {
            return;
        }
        var addresses = string.Join(" and ", activeAddresses);
        if (isNew)
        {
            logger.DnsRecordWritten(dns.Name, addresses, config.Url!);
        }
        else if (!activeAddresses.SequenceEqual(dnsState.Current.Addresses))
        {
            logger.DnsRecordUpToDate(dns.Name, addresses, config.Url!);
        }
    }

    private async Task DeleteOnShutdownAsync(DnsConfig dns)
    {
        using var timeout = new CancellationTokenSource(DeleteTimeout, clock.Time);
        if (dns.OnStop != DnsOnStop.Delete || _ownAddresses.Count == 0 || !await IsShuttingDownAsync(timeout.Token))
        {
            return;
        }
        foreach (var ip in _ownAddresses)   // one at a time, because a zone accepts one change at a time
        {
            await DeleteAsync(dns, ip, timeout.Token);
        }
    }

    private async Task<bool> IsShuttingDownAsync(CancellationToken timeout)
    {
        try
        {
            return await shutdown.IsPoweringOffAsync(timeout);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or InvalidOperationException)
        {
            return false;   // unknown, so the record stays
        }
    }

    private async Task DeleteAsync(DnsConfig dns, IPAddress ip, CancellationToken timeout)
    {
        try
        {
            await route53.DeleteAsync(dns, ip, timeout);
            logger.DnsRecordDeleted(dns.Name, ip.ToString());
        }
        catch (ProblemException exception) when (exception.Problem.Kind == Route53Client.ChangeRefusedCode)
        {
            logger.DnsRecordChangedElsewhere(dns.Name, ip.ToString());
        }
        catch (Exception exception)
        {
            logger.DnsRecordNotDeleted(dns.Name, ip.ToString(), ExceptionMapping.ToProblem(exception));
        }
    }

    private static TimeSpan LongerOf(TimeSpan delay, TimeSpan? retryAfter) =>
        retryAfter is { } longer && longer > delay ? longer : delay;
}
