using System.Globalization;
using RagAgent.Common;
using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics.Logging;

/// <summary>What an entry says beside its line, for programs that read the journal.</summary>
/// <remarks>
/// Of the agent: <c>RAGAGENT_EVENT</c>, <c>RAGAGENT_PROBLEM</c> when something went wrong, each value in the line by its name
/// (<c>RAGAGENT_DIGEST</c>, <c>RAGAGENT_CONTAINER</c>, …), and the <c>MESSAGE_ID</c> of the problem or, without one, of the event.
/// Of the app: the fields that Docker's own journald driver sets.
/// </remarks>
internal static class JournalFields
{
    private const string Prefix = "RAGAGENT_";

    public static JournalEntry ForAgent(LogEvent log, string line, int priority, Func<string, string> scrub)
    {
        var entry = new JournalEntry().Add("MESSAGE", line).Add("PRIORITY", priority.ToString(CultureInfo.InvariantCulture)).Add("SYSLOG_IDENTIFIER", "ragagent");
        string? id = null;
        foreach (var (name, value) in log.Properties)
        {
            switch (name, value)
            {
                case ("EventId", StructureValue eventId) when IsFromAgent(log) && eventId.Properties.FirstOrDefault(p => p.Name == "Name")?.Value is ScalarValue { Value: string text }:
                    entry.Add(Prefix + "EVENT", MessageId.ToKebabCase(text));
                    id ??= MessageId.ToKebabCase(text);
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
        .Add("MESSAGE", line).Add("PRIORITY", priority.ToString(CultureInfo.InvariantCulture)).Add("SYSLOG_IDENTIFIER", app.Name)
        .Add("SYSLOG_TIMESTAMP", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
        .Add("CONTAINER_NAME", app.Name).Add("CONTAINER_ID", app.ShortId).Add("CONTAINER_ID_FULL", app.Id);

    private static bool IsFromAgent(LogEvent log) =>
        log.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: string name } && name.StartsWith("RagAgent.", StringComparison.Ordinal);
}
