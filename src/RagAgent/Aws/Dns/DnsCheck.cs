using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws.Dns;

/// <summary>Does the name point at this machine, and may the role see to that?</summary>
internal sealed class DnsCheck(AgentConfig config, InstanceMetadata metadata, Route53Client route53) : ICheck
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
            return CheckResult.Failed(DnsRecordUpdater.NoMetadata(dns));
        }
        var addresses = await metadata.PublicAddressesAsync(stopping);
        if (addresses.Count == 0)
        {
            return CheckResult.Failed(DnsPlan.NoPublicAddress(dns));
        }
        var plan = DnsPlan.Of(dns, addresses, await route53.ListAsync(dns, stopping));
        if (plan.Problems.FirstOrDefault(problem => problem.Kind.Severity == ProblemSeverity.Error) is { } blocking)
        {
            return CheckResult.Of(blocking);
        }
        await route53.DryRunAsync(dns, addresses.Select(ResourceRecordSet.RecordTypeOf), stopping);
        if (plan.Problems is [{ } elsewhere, ..])
        {
            return CheckResult.Of(elsewhere);
        }
        return CheckResult.Ok(plan.ToWrite.Count == 0
            ? $"{dns.Name} points at {string.Join(" and ", addresses)}, and the role may change that: the app is at {config.Url}."
            : $"The agent would point {dns.Name} at {string.Join(" and ", plan.ToWrite)}, and the role may do that: the app is at {config.Url} then.");
    }
}
