using System.Text.Json.Nodes;
using RagAgent.Configuration.Values;

namespace RagAgent.Export;

/// <summary>Collects, while a document is made, what its reader has to know of it.</summary>
internal sealed class ExportNotes
{
    private readonly List<Placeholder> _placeholders = [];
    private readonly List<string> _steps = [];
    private readonly List<Remark> _remarks = [];

    /// <summary>What was given, or a mark in its place that is told.</summary>
    /// <param name="value">Null: nothing.</param>
    /// <param name="name">Of the mark, without brackets.</param>
    /// <param name="what">What belongs there.</param>
    /// <param name="option">That would have given it.</param>
    public string ValueOrPlaceholder(string? value, string name, string what, string? option = null)
    {
        if (value is not null)
        {
            return value;
        }
        var placeholder = new Placeholder($"<{name}>", what, option);
        if (!_placeholders.Contains(placeholder))
        {
            _placeholders.Add(placeholder);
        }
        return placeholder.Text;
    }

    /// <summary>All that were given, or a mark in their place that is told.</summary>
    public JsonArray ValuesOrPlaceholder(IReadOnlyList<string> value, string name, string what, string option) =>
        JsonFormatter.ToArray((value.Count > 0 ? value : [ValueOrPlaceholder(null, name, what, option)]).Select(one => (JsonNode)one));

    public void AddStep(string step) => _steps.Add(step);

    public void AddRemark(string key, string sentence) => _remarks.Add(new Remark([key], sentence));

    public void AddRemark(Remark remark) => _remarks.Add(remark);

    /// <summary>Whole seconds, rounded up, within the bounds of the engine; told when that is not what the configuration says.</summary>
    public int ClampSeconds(string key, TimeSpan configured, int min, int max, string subject)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(configured.TotalSeconds), min, max);
        if (TimeSpan.FromSeconds(seconds) != configured)
        {
            AddRemark(key, $"{Duration.Format(configured)} becomes {seconds}s: {subject} whole seconds{(max == int.MaxValue ? $", at least {min}" : $" from {min} to {max}")}.");
        }
        return seconds;
    }

    /// <summary>A count within the bounds of the engine; told when that is not what the configuration says.</summary>
    public int ClampCount(string key, int configured, int min, int max, string subject)
    {
        var count = Math.Clamp(configured, min, max);
        if (count != configured)
        {
            AddRemark(key, $"{configured} becomes {count}: {subject} {min} to {max}.");
        }
        return count;
    }

    /// <param name="document">Members that are null are left out of it.</param>
    public ExportResult Build(JsonObject document)
    {
        RemoveNulls(document);
        // What is to be said of several secrets is said once.
        Remark[] remarks = [.. _remarks.GroupBy(remark => remark.Sentence, remark => remark.Keys).Select(same => new Remark([.. same.SelectMany(keys => keys)], same.Key))];
        return new ExportResult(document, _placeholders, _steps, remarks);
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
