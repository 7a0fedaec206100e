using System.Globalization;
using RagAgent.Supervision;
using Serilog.Core;
using Serilog.Events;

namespace RagAgent.Diagnostics;

/// <summary>What an entry says beside its line, for programs that read the journal.</summary>
/// <remarks>
/// Of the agent: <c>RAGAGENT_EVENT</c>, <c>RAGAGENT_PROBLEM</c> when something went wrong, each value in the line by its name
/// (<c>RAGAGENT_DIGEST</c>, <c>RAGAGENT_CONTAINER</c>, …), and the <c>MESSAGE_ID</c> of the problem or, without one, of the event.
/// Of the app: the fields that Docker's own journald driver sets.
/// </remarks>
internal static class JournalFields
{
    private const string Ours = "RAGAGENT_";

    public static JournalEntry OfAgent(LogEvent log, string line, int priority, Func<string, string> scrub)
    {
        var entry = new JournalEntry().With("MESSAGE", line).With("PRIORITY", priority.ToString(CultureInfo.InvariantCulture)).With("SYSLOG_IDENTIFIER", "ragagent");
        string? id = null;
        foreach (var (name, value) in log.Properties)
        {
            switch (name, value)
            {
                case ("EventId", StructureValue told) when IsOurs(log) && told.Properties.FirstOrDefault(p => p.Name == "Name")?.Value is ScalarValue { Value: string text }:
                    entry.With(Ours + "EVENT", MessageId.Kebab(text));
                    id ??= MessageId.Kebab(text);
                    break;
                case ("EventId" or Constants.SourceContextPropertyName, _):
                    break;
                case (_, ScalarValue { Value: Problem problem }):
                    entry.With(Ours + "PROBLEM", problem.Code);
                    id = problem.Code;
                    break;
                case (_, ScalarValue { Value: { } scalar }):
                    entry.With(Ours + MessageId.Field(name), scrub(Convert.ToString(scalar, CultureInfo.InvariantCulture) ?? ""));
                    break;
            }
        }
        if (id is not null)
        {
            entry.With("MESSAGE_ID", MessageId.Of(id));
        }
        return log.Exception is { } exception ? entry.With(Ours + "EXCEPTION", scrub(exception.ToString())) : entry;
    }

    public static JournalEntry OfApp(LoggedContainer app, DateTimeOffset at, string line, int priority) => new JournalEntry()
        .With("MESSAGE", line).With("PRIORITY", priority.ToString(CultureInfo.InvariantCulture)).With("SYSLOG_IDENTIFIER", app.Name)
        .With("SYSLOG_TIMESTAMP", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
        .With("CONTAINER_NAME", app.Name).With("CONTAINER_ID", app.ShortId).With("CONTAINER_ID_FULL", app.Id);

    private static bool IsOurs(LogEvent log) =>
        log.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source) && source is ScalarValue { Value: string name } && name.StartsWith("RagAgent.", StringComparison.Ordinal);
}
