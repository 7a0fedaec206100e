using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws.Dns;

/// <summary>Does the name point to this machine, and may the role change that?</summary>
internal sealed class DnsCheck(AgentConfig config, InstanceMetadata metadata, Route53Client route53) : ICheck
{
    public string Name => "dns";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config.Dns is not { } dns)
        {
            return CheckResult.Skipped("dns is not set, so the agent manages no DNS name.");
        }
        if (InstanceMetadata.IsDisabled)
        {
            return CheckResult.Of(DnsRecordUpdater.NoMetadata(dns));
        }
        var addresses = await metadata.PublicAddressesAsync(stopping);
        if (addresses.Count == 0)
        {
            return CheckResult.Of(DnsPlan.NoPublicAddress(dns));
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
            ? $"{dns.Name} points to {string.Join(" and ", addresses)}, and the role may change that. The app is at {config.Url}."
            : $"The agent would point {dns.Name} to {string.Join(" and ", plan.ToWrite)}, and the role allows it. " +
              $"The app would then be at {config.Url}.");
    }
}
