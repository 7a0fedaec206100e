using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Configuration;

/// <summary>A table row of docs/configuration.md, or the heading of a section.</summary>
internal sealed partial record DocumentedConfigKey(string Name, string Type, string Default, string? Example, string Description)
{
    public JsonNode? DefaultValue => JsonNode.Parse(Default.Trim('`'));

    public static IReadOnlyDictionary<string, DocumentedConfigKey> All()
    {
        var keys = new Dictionary<string, DocumentedConfigKey>();
        foreach (var line in RepositoryFiles.Read("docs/configuration.md").Split('\n'))
        {
            if (Heading().Match(line) is { Success: true } heading)
            {
                Add(new(heading.Groups[1].Value, "section", "none", null, ""));
            }

            if (!line.StartsWith("| `", StringComparison.Ordinal))
            {
                continue;
            }

            string[] cells = [.. line.Trim('|').Split(" | ").Select(cell => cell.Trim())];
            Assert.True(cells.Length == 5 && cells.All(cell => cell.Length > 0), $"Not five full cells: {line}");
            Add(new(cells[0].Trim('`'), cells[1], cells[2], cells[3].Trim('`'), cells[4]));
        }

        return keys;

        void Add(DocumentedConfigKey key) => keys.Add(key.Name, key);
    }

    [GeneratedRegex("^##+ `([^`]+)`$")]
    private static partial Regex Heading();
}
