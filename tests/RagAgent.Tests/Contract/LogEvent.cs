using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;

namespace RagAgent.Tests.Contract;

/// <summary>A log message that the agent can write, as its attribute declares it.</summary>
/// <param name="Id"></param>
/// <param name="Name"></param>
/// <param name="Level"></param>
/// <param name="HasProblem"></param>
/// <param name="Fields">The journal fields that its placeholders become, without RAGAGENT_.</param>
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

    /// <summary>As RAGAGENT_EVENT and docs/messages.md have it.</summary>
    public string JournalName => MessageId.ToKebabCase(Name ?? "");

    private static IEnumerable<string> FieldsOf(string message) =>
        Placeholder().Matches(message).Select(match => MessageId.ToFieldName(match.Groups[1].Value)).Distinct().Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
