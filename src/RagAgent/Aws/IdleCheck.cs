using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>If idle is set, may the instance stop itself?</summary>
internal sealed class IdleCheck(AgentConfig config, Ec2InstanceControl instanceControl) : ICheck
{
    public string Name => "idle";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => config.Idle is null
        ? CheckResult.Skipped("idle is not set, so the instance does not stop itself.")
        : CheckResult.Ok($"EC2 would stop the instance {await instanceControl.DryRunStopAsync(stopping)} on the agent's request.");
}
