using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics;

/// <summary>What the host library says about a failure that is told by somebody else, in words for programmers.</summary>
internal static class HostTalk
{
    private const string Host = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>The host ends because a part of it broke. That it broke, and of what, is a line before this one, which stays.</summary>
    private const int EndsForAPart = 10;

    /// <summary>The start failed. The exception is thrown as well: who starts says it in a sentence, or lets it through.</summary>
    private const int StartFailed = 11;

    public static bool SaysItTwice(LogEvent line) =>
        line.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: Host } &&
        line.Properties.TryGetValue("EventId", out var id) && id is StructureValue { Properties: var parts } &&
        parts.Any(part => part is { Name: "Id", Value: ScalarValue { Value: EndsForAPart or StartFailed } });
}
