using RagAgent.Configuration;
using RagAgent.Containers;

namespace RagAgent;

/// <summary>Composes <c>ragagent try</c> from the agent's own parts: it starts a container and probes it, and nothing else.</summary>
internal static class TryHost
{
    public static ServiceProvider Build(AgentConfig config, StateDirectory stateDirectory, AgentLogging logging) => new ServiceCollection()
        .AddSingleton(config)
        .AddSingleton(stateDirectory)
        .AddSingleton(TimeProvider.System)
        .AddLogging()
        .AddOutput(logging)
        .AddContainers()
        .AddHealth()
        .AddSingleton<TryContainer>()
        .BuildServiceProvider();
}
