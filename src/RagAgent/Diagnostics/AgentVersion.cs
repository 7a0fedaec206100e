using System.Reflection;

namespace RagAgent.Diagnostics;

internal static class AgentVersion
{
    /// <summary>The same as the package's, such as <c>1.2.3</c>.</summary>
    public static string Short { get; } =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
