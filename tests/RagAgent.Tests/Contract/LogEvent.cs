using System.Reflection;
using Microsoft.Extensions.Logging;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Tests.Contract;

/// <summary>A log message that the agent can write, as its attribute declares it.</summary>
internal sealed record LogEvent(int Id, string? Name, LogLevel Level, bool HasProblem)
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
               method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Problem))),
    ];

    /// <summary>As RAGAGENT_EVENT and docs/messages.md have it.</summary>
    public string JournalName => MessageId.Kebab(Name ?? "");
}
