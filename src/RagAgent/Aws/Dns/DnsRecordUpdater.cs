using System.Net;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Aws.Dns;

/// <summary>Keeps the name of <c>dns</c> pointed at this machine. Whatever goes wrong here is told and tried again, and nothing waits for it.</summary>
internal sealed class DnsRecordUpdater(AgentConfig config, InstanceMetadata metadata, Route53Client route53, DnsStateHolder dnsState, ShutdownDetector shutdown, IHostApplicationLifetime lifetime, AgentClock clock, ILogger<DnsRecordUpdater> logger) : BackgroundService
{
    // No event tells of another address (an Elastic IP, a machine that slept); the metadata is on the machine and costs nothing.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(2);
    private static readonly Backoff RetryBackoff = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));

    // A machine that goes off waits for us.
    private static readonly TimeSpan DeleteTimeout = TimeSpan.FromSeconds(5);

    // What a record of the name may hold by our doing.
    private readonly HashSet<IPAddress> _ownAddresses = [];

    // Addresses with which all was well at the last look.
    private IReadOnlyList<IPAddress>? _upToDate;
    private IReadOnlyList<Problem> _loggedProblems = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Dns is not { } dns)
        {
            return;
        }
        // From the first moment of the agent's end, beside the others that end: not when they have all done so.
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
            var delay = failures == 0 ? CheckInterval : LongerOf(RetryBackoff.After(failures, Random.Shared.NextDouble()), status.Problems[0].RetryAfter);
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
            if (await PublicAddressesAsync(stopping) is not { } publicAddresses || (_upToDate is { } upToDate && publicAddresses.SequenceEqual(upToDate)))
            {
                return dnsState.Current;   // Route 53 is not asked again
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
                _ownAddresses.Add(ip);   // beforehand: cut in the middle, it may have been written
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

    /// <summary>A record holds this one, and so none of the same type that was there before.</summary>
    private void MarkWritten(IPAddress ip)
    {
        _ownAddresses.RemoveWhere(before => before.AddressFamily == ip.AddressFamily);
        _ownAddresses.Add(ip);
    }

    /// <returns>Null: they can't be had now, and those that were had last are believed.</returns>
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

    /// <summary>A machine that is no instance, or whose metadata may not be asked.</summary>
    /// <param name="dns">Which name.</param>
    public static Problem NoMetadata(DnsConfig dns) => new(ProblemCatalog.DnsNoMetadata,
        $"The instance metadata is switched off (AWS_EC2_METADATA_DISABLED), so the address that {dns.Name} should point at is not known.",
        "Switch it on, or set dns to null where this is no EC2 instance.");

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
        foreach (var ip in _ownAddresses)   // not at once: a zone takes one change after the other
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
            return false;   // not known: then it stays
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

    private static TimeSpan LongerOf(TimeSpan delay, TimeSpan? asked) => asked is { } longer && longer > delay ? longer : delay;
}
