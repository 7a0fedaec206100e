using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics.Logging;

/// <summary>What the host library says about a failure that is told by somebody else, in words for programmers.</summary>
internal static class HostLogFilter
{
    private const string HostSource = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>The host ends because a part of it broke. That it broke, and of what, is a line before this one, which stays.</summary>
    private const int BackgroundServiceStoppingHost = 10;

    /// <summary>The start failed. The exception is thrown as well: who starts says it in a sentence, or lets it through.</summary>
    private const int HostedServiceStartupFaulted = 11;

    public static bool IsRedundant(LogEvent line) =>
        line.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: HostSource } &&
        line.Properties.TryGetValue("EventId", out var id) && id is StructureValue { Properties: var parts } &&
        parts.Any(part => part is { Name: "Id", Value: ScalarValue { Value: BackgroundServiceStoppingHost or HostedServiceStartupFaulted } });
}
