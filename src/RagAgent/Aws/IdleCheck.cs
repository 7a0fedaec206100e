using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>May the instance stop itself, if it is to?</summary>
internal sealed class IdleCheck(AgentConfig config, Ec2InstanceControl instanceControl) : ICheck
{
    public string Name => "idle";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => config.Idle is null
        ? CheckResult.Skipped("The instance does not stop itself: idle is not set.")
        : CheckResult.Ok($"EC2 would stop the instance {await instanceControl.DryRunStopAsync(stopping)} when the agent asks for it.");
}
