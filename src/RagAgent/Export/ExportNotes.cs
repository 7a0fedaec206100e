using System.Text.Json.Nodes;
using RagAgent.Configuration.Values;

namespace RagAgent.Export;

/// <summary>Collects the notes for a document while it is created.</summary>
internal sealed class ExportNotes
{
    private readonly List<Placeholder> _placeholders = [];
    private readonly List<string> _steps = [];
    private readonly List<Remark> _remarks = [];

    /// <param name="value">Null: use a placeholder and list it in the notes.</param>
    /// <param name="name">The name of the placeholder, without brackets.</param>
    /// <param name="meaning">What belongs there.</param>
    /// <param name="option">The command line option that sets the value; null: there is none.</param>
    public string ValueOrPlaceholder(string? value, string name, string meaning, string? option = null)
    {
        if (value is not null)
        {
            return value;
        }
        var placeholder = new Placeholder($"<{name}>", meaning, option);
        if (!_placeholders.Contains(placeholder))
        {
            _placeholders.Add(placeholder);
        }
        return placeholder.Text;
    }

    /// <summary>The same for a list, where no values mean a placeholder.</summary>
    public JsonArray ValuesOrPlaceholder(IReadOnlyList<string> values, string name, string meaning, string option)
    {
        var entries = values.Count > 0 ? values : [ValueOrPlaceholder(null, name, meaning, option)];
        return JsonFormatter.ToArray(entries.Select(entry => (JsonNode)entry));
    }

    public void AddStep(string step) => _steps.Add(step);

    public void AddRemark(string key, string sentence) => _remarks.Add(new Remark([key], sentence));

    public void AddRemark(Remark remark) => _remarks.Add(remark);

    /// <summary>Whole seconds, rounded up, within the limits of the platform. Adds a remark if that changes the value.</summary>
    public int ClampSeconds(string key, TimeSpan configured, int min, int max, string subject)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(configured.TotalSeconds), min, max);
        if (TimeSpan.FromSeconds(seconds) != configured)
        {
            var limits = max == int.MaxValue ? $", at least {min}" : $" from {min} to {max}";
            AddRemark(key, $"{Duration.Format(configured)} becomes {seconds}s: {subject} whole seconds{limits}.");
        }
        return seconds;
    }

    /// <summary>A count within the limits of the platform. Adds a remark if that changes the value.</summary>
    public int ClampCount(string key, int configured, int min, int max, string subject)
    {
        var count = Math.Clamp(configured, min, max);
        if (count != configured)
        {
            AddRemark(key, $"{configured} becomes {count}: {subject} {min} to {max}.");
        }
        return count;
    }

    /// <param name="document">Members that are null are removed.</param>
    public ExportResult Build(JsonObject document)
    {
        RemoveNulls(document);
        // One remark for all keys with the same sentence, such as several secrets.
        var remarks = _remarks
            .GroupBy(remark => remark.Sentence, remark => remark.Keys)
            .Select(group => new Remark([.. group.SelectMany(keys => keys)], group.Key));
        return new ExportResult(document, _placeholders, _steps, [.. remarks]);
    }

    private static void RemoveNulls(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var name in members.Where(member => member.Value is null).Select(member => member.Key).ToArray())
                {
                    members.Remove(name);
                }
                foreach (var (_, value) in members)
                {
                    RemoveNulls(value);
                }
                break;
            case JsonArray entries:
                foreach (var entry in entries)
                {
                    RemoveNulls(entry);
                }
                break;
        }
    }
}
