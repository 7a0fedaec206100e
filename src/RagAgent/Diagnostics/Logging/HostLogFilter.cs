using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics.Logging;

/// <summary>Drops .NET host messages about failures that the agent reports itself.</summary>
internal static class HostLogFilter
{
    private const string HostSource = "Microsoft.Extensions.Hosting.Internal.Host";

    // The host stops because a background service failed. The message before this one says which and why, and stays.
    private const int BackgroundServiceStoppingHost = 10;

    // The start failed. The host also throws the exception, and its caller reports that.
    private const int HostedServiceStartupFaulted = 11;

    public static bool IsRedundant(LogEvent line) =>
        line.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: HostSource } &&
        line.Properties.TryGetValue("EventId", out var id) && id is StructureValue { Properties: var parts } &&
        parts.FirstOrDefault(part => part.Name == "Id")?.Value is
            ScalarValue { Value: BackgroundServiceStoppingHost or HostedServiceStartupFaulted };
}
