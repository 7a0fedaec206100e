using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>Does the name point at this machine, and may the role see to that?</summary>
internal sealed class DnsCheck(AgentConfig config, InstanceMetadata metadata, Route53 route53) : ICheck
{
    public string Name => "dns";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config.Dns is not { } dns)
        {
            return CheckResult.Skipped("No name is pointed at this machine: dns is not set.");
        }
        if (InstanceMetadata.IsDisabled)
        {
            return CheckResult.Failed(DnsRecord.Unknown(dns));
        }
        var here = await metadata.PublicAddressesAsync(stopping);
        if (here.Count == 0)
        {
            return CheckResult.Failed(DnsPlan.NoAddress(dns));
        }
        var plan = DnsPlan.Of(dns, here, await route53.ListAsync(dns, stopping));
        if (plan.Problems.FirstOrDefault(problem => problem.Code != DnsPlan.Elsewhere) is { } taken)
        {
            return CheckResult.Failed(taken);
        }
        await route53.TryAsync(dns, here.Select(RecordSet.TypeOf), stopping);
        if (plan.Problems is [{ } elsewhere, ..])
        {
            return new CheckResult(CheckOutcome.Warning, elsewhere.What, elsewhere.Remedy, elsewhere.Code);
        }
        return CheckResult.Ok(plan.Writing.Count == 0
            ? $"{dns.Name} points at {string.Join(" and ", here)}, and the role may change that: the app is at {config.Url}."
            : $"The agent would point {dns.Name} at {string.Join(" and ", plan.Writing)}, and the role may do that: the app is at {config.Url} then.");
    }
}
