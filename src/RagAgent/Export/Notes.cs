using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Collects, while a document is made, what its reader has to know of it.</summary>
internal sealed class Notes
{
    private readonly List<Blank> _blanks = [];
    private readonly List<string> _steps = [];
    private readonly List<Remark> _remarks = [];

    /// <summary>What was given, or a mark in its place that is told.</summary>
    /// <param name="given">Null: nothing.</param>
    /// <param name="name">Of the mark, without brackets.</param>
    /// <param name="what">What belongs there.</param>
    /// <param name="option">That would have given it.</param>
    public string Given(string? given, string name, string what, string? option = null)
    {
        if (given is not null)
        {
            return given;
        }
        var blank = new Blank($"<{name}>", what, option);
        if (!_blanks.Contains(blank))
        {
            _blanks.Add(blank);
        }
        return blank.Mark;
    }

    /// <summary>All that were given, or a mark in their place that is told.</summary>
    public JsonArray AllGiven(IReadOnlyList<string> given, string name, string what, string option) =>
        JsonText.Array((given.Count > 0 ? given : [Given(null, name, what, option)]).Select(one => (JsonNode)one));

    public void Step(string step) => _steps.Add(step);

    public void Remark(string key, string sentence) => _remarks.Add(new Remark([key], sentence));

    public void Remark(Remark remark) => _remarks.Add(remark);

    /// <summary>Whole seconds, rounded up, within the bounds of the engine; told when that is not what the configuration says.</summary>
    public int Seconds(string key, TimeSpan configured, int least, int most, string whose)
    {
        var seconds = (int)Math.Clamp(Math.Ceiling(configured.TotalSeconds), least, most);
        if (TimeSpan.FromSeconds(seconds) != configured)
        {
            Remark(key, $"{Duration.Format(configured)} becomes {seconds}s: {whose} whole seconds{(most == int.MaxValue ? $", at least {least}" : $" from {least} to {most}")}.");
        }
        return seconds;
    }

    /// <summary>A count within the bounds of the engine; told when that is not what the configuration says.</summary>
    public int Count(string key, int configured, int least, int most, string whose)
    {
        var count = Math.Clamp(configured, least, most);
        if (count != configured)
        {
            Remark(key, $"{configured} becomes {count}: {whose} {least} to {most}.");
        }
        return count;
    }

    /// <param name="document">Members that are null are left out of it.</param>
    public Exported With(JsonObject document)
    {
        Prune(document);
        // What is to be said of several secrets is said once.
        Remark[] remarks = [.. _remarks.GroupBy(remark => remark.Sentence, remark => remark.Keys).Select(same => new Remark([.. same.SelectMany(keys => keys)], same.Key))];
        return new Exported(document, _blanks, _steps, remarks);
    }

    private static void Prune(JsonNode? node)
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
                    Prune(value);
                }
                break;
            case JsonArray entries:
                foreach (var entry in entries)
                {
                    Prune(entry);
                }
                break;
        }
    }
}
