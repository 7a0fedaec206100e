using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>Keeps the name of <c>dns</c> pointed at this machine. Whatever goes wrong here is told and tried again, and nothing waits for it.</summary>
internal sealed class DnsRecord(AgentConfig config, InstanceMetadata metadata, Route53 route53, DnsStateHolder dnsState, ShutdownDetector shutdown, IHostApplicationLifetime life, AgentClock clock, ILogger<DnsRecord> logger) : BackgroundService
{
    // No event tells of another address (an Elastic IP, a machine that slept); the metadata is on the machine and costs nothing.
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(2);
    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));

    // A machine that goes off waits for us.
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(5);

    // What a record of the name may hold by our doing.
    private readonly HashSet<IPAddress> _held = [];

    // Addresses with which all was well at the last look.
    private IReadOnlyList<IPAddress>? _settled;
    private IReadOnlyList<Problem> _told = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Dns is not { } dns)
        {
            return;
        }
        // From the first moment of the agent's end, beside the others that end: not when they have all done so.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, life.ApplicationStopping);
        try
        {
            await KeepAsync(dns, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            await LeaveAsync(dns);
        }
    }

    private async Task KeepAsync(DnsConfig dns, CancellationToken stopping)
    {
        for (var failures = 0; ;)
        {
            var found = await LookAsync(dns, stopping);
            failures = found.Problems.Count == 0 ? 0 : failures + 1;
            var delay = failures == 0 ? LookEvery : Longer(Retry.After(failures, Random.Shared.NextDouble()), found.Problems[0].RetryAfter);
            foreach (var problem in found.Problems.Except(_told))
            {
                logger.NameTroubles(problem);
            }
            _told = found.Problems;
            if (found != dnsState.Current)
            {
                dnsState.Update(found with { NextTry = failures == 0 ? null : clock.Now + delay });
            }
            await Task.Delay(delay, clock.Time, stopping);
        }
    }

    private async Task<DnsState> LookAsync(DnsConfig dns, CancellationToken stopping)
    {
        var pointed = new List<IPAddress>();
        try
        {
            if (await AddressesAsync(stopping) is not { } here || (_settled is { } settled && here.SequenceEqual(settled)))
            {
                return dnsState.Current;   // Route 53 is not asked again
            }
            _settled = null;
            if (here.Count == 0)
            {
                return new DnsState([], [DnsPlan.NoAddress(dns)], null);
            }
            var plan = DnsPlan.Of(dns, here, await route53.ListAsync(dns, stopping));
            foreach (var one in plan.Standing)
            {
                Hold(one);
                pointed.Add(one);
            }
            foreach (var one in plan.Writing)
            {
                _held.Add(one);   // beforehand: cut in the middle, it may have been written
                await route53.PointAsync(dns, one, stopping);
                Hold(one);
                pointed.Add(one);
            }
            Say(dns, pointed, isNew: plan.Writing.Count > 0);
            _settled = plan.Problems.Count == 0 ? here : null;
            return new DnsState(pointed, plan.Problems, null);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            return new DnsState(pointed, [Problems.From(e)], null);
        }
    }

    /// <summary>A record holds this one, and so none of the same type that was there before.</summary>
    private void Hold(IPAddress one)
    {
        _held.RemoveWhere(before => before.AddressFamily == one.AddressFamily);
        _held.Add(one);
    }

    /// <returns>Null: they can't be had now, and those that were had last are believed.</returns>
    private async Task<IReadOnlyList<IPAddress>?> AddressesAsync(CancellationToken stopping)
    {
        try
        {
            return await metadata.PublicAddressesAsync(stopping);
        }
        catch (ProblemException) when (_settled is not null)
        {
            return null;
        }
        catch (ProblemException e) when (e.Problem.Code == "imds-disabled")
        {
            throw new ProblemException(Unknown(config.Dns!), e);
        }
    }

    /// <summary>A machine that is no instance, or whose metadata may not be asked.</summary>
    /// <param name="dns">Which name.</param>
    public static Problem Unknown(DnsConfig dns) => new("dns-no-metadata",
        $"The instance metadata is switched off (AWS_EC2_METADATA_DISABLED), so the address that {dns.Name} should point at is not known.",
        "Switch it on, or set dns to null where this is no EC2 instance.");

    private void Say(DnsConfig dns, List<IPAddress> pointed, bool isNew)
    {
        if (pointed.Count == 0)
        {
            return;
        }
        var addresses = string.Join(" and ", pointed);
        if (isNew)
        {
            logger.NamePointed(dns.Name, addresses, config.Url!);
        }
        else if (!pointed.SequenceEqual(dnsState.Current.Addresses))
        {
            logger.NameStands(dns.Name, addresses, config.Url!);
        }
    }

    private async Task LeaveAsync(DnsConfig dns)
    {
        using var patience = new CancellationTokenSource(LeaveWithin, clock.Time);
        if (dns.OnStop != DnsOnStop.Delete || _held.Count == 0 || !await IsLeavingAsync(patience.Token))
        {
            return;
        }
        foreach (var one in _held)   // not at once: a zone takes one change after the other
        {
            await TakeAwayAsync(dns, one, patience.Token);
        }
    }

    private async Task<bool> IsLeavingAsync(CancellationToken patience)
    {
        try
        {
            return await shutdown.IsPoweringOffAsync(patience);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            return false;   // not known: then it stays
        }
    }

    private async Task TakeAwayAsync(DnsConfig dns, IPAddress one, CancellationToken patience)
    {
        try
        {
            await route53.TakeAwayAsync(dns, one, patience);
            logger.NameTakenAway(dns.Name, one.ToString());
        }
        catch (ProblemException e) when (e.Problem.Code == Route53.NotMade)
        {
            logger.NameIsOthers(dns.Name, one.ToString());
        }
        catch (Exception e)
        {
            logger.NameStays(dns.Name, one.ToString(), Problems.From(e));
        }
    }

    private static TimeSpan Longer(TimeSpan delay, TimeSpan? asked) => asked is { } longer && longer > delay ? longer : delay;
}
