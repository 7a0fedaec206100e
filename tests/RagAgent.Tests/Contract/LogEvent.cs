using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;

namespace RagAgent.Tests.Contract;

/// <summary>A log message of the agent, as declared by its attribute.</summary>
/// <param name="Id">The event ID.</param>
/// <param name="Name">The explicit event name.</param>
/// <param name="Level">The log level.</param>
/// <param name="HasProblem">Whether the message logs a problem, whose code then replaces the event name.</param>
/// <param name="Fields">The journal fields of its placeholders, without RAGAGENT_.</param>
internal sealed partial record LogEvent(int Id, string? Name, LogLevel Level, bool HasProblem, IReadOnlyList<string> Fields)
{
    public static IReadOnlyList<LogEvent> All { get; } =
    [
        .. from type in typeof(ExitCodes).Assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           orderby attribute.EventId
           select new LogEvent(
               attribute.EventId,
               attribute.EventName,
               attribute.Level,
               method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Problem)),
               [.. FieldsOf(attribute.Message)]),
    ];

    /// <summary>The name in RAGAGENT_EVENT and docs/messages.md.</summary>
    public string JournalName => MessageId.ToKebabCase(Name ?? "");

    private static IEnumerable<string> FieldsOf(string message) =>
        Placeholder().Matches(message)
            .Select(match => MessageId.ToFieldName(match.Groups[1].Value))
            .Distinct()
            .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
