using RagAgent.Diagnostics.Checks;

namespace RagAgent.Containers;

internal sealed class EngineCheck(EngineConnection connection) : ICheck
{
    public string Name => "engine";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) =>
        CheckResult.Ok($"Docker {await connection.EngineVersionAsync(stopping)} answers on {connection.Socket}.");
}
