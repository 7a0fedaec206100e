using System.Globalization;
using RagAgent.Common;
using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics.Logging;

/// <summary>The fields of a journal entry, for programs that read the journal.</summary>
/// <remarks>
/// Entries of the agent have <c>RAGAGENT_EVENT</c>, <c>RAGAGENT_PROBLEM</c> if something went wrong,
/// a field for each value in the message (<c>RAGAGENT_DIGEST</c>, <c>RAGAGENT_CONTAINER</c>, …),
/// and the <c>MESSAGE_ID</c> of the problem or, without one, of the event.
/// Entries of the app have the fields that Docker's own journald driver sets.
/// </remarks>
internal static class JournalFields
{
    private const string Prefix = "RAGAGENT_";

    public static JournalEntry ForAgent(LogEvent log, string line, int priority, Func<string, string> scrub)
    {
        var entry = new JournalEntry()
            .Add("MESSAGE", line)
            .Add("PRIORITY", priority.ToString(CultureInfo.InvariantCulture))
            .Add("SYSLOG_IDENTIFIER", "ragagent");
        string? id = null;
        foreach (var (name, value) in log.Properties)
        {
            switch (name, value)
            {
                case ("EventId", StructureValue eventId) when IsFromAgent(log) && EventName(eventId) is { } eventName:
                    entry.Add(Prefix + "EVENT", MessageId.ToKebabCase(eventName));
                    id ??= MessageId.ToKebabCase(eventName);
                    break;
                case ("EventId" or Constants.SourceContextPropertyName, _):
                    break;
                case (_, ScalarValue { Value: Problem problem }):
                    entry.Add(Prefix + "PROBLEM", problem.Code);
                    id = problem.Code;
                    break;
                case (_, ScalarValue { Value: { } scalar }):
                    entry.Add(Prefix + MessageId.ToFieldName(name), scrub(Convert.ToString(scalar, CultureInfo.InvariantCulture) ?? ""));
                    break;
            }
        }
        if (id is not null)
        {
            entry.Add("MESSAGE_ID", MessageId.For(id));
        }
        return log.Exception is { } exception ? entry.Add(Prefix + "EXCEPTION", scrub(exception.ToString())) : entry;
    }

    public static JournalEntry ForApp(ContainerIdentity app, DateTimeOffset at, string line, int priority) => new JournalEntry()
        .Add("MESSAGE", line)
        .Add("PRIORITY", priority.ToString(CultureInfo.InvariantCulture))
        .Add("SYSLOG_IDENTIFIER", app.Name)
        .Add("SYSLOG_TIMESTAMP", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
        .Add("CONTAINER_NAME", app.Name)
        .Add("CONTAINER_ID", app.ShortId)
        .Add("CONTAINER_ID_FULL", app.Id);

    private static string? EventName(StructureValue eventId) =>
        eventId.Properties.FirstOrDefault(property => property.Name == "Name")?.Value is ScalarValue { Value: string name } ? name : null;

    private static bool IsFromAgent(LogEvent log) =>
        log.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) &&
        source is ScalarValue { Value: string name } && name.StartsWith("RagAgent.", StringComparison.Ordinal);
}
