using System.Text;
using RagAgent.Configuration;

namespace RagAgent.Diagnostics;

/// <summary>What systemd says of units, as <c>systemctl cat</c> and <c>systemctl show</c> write it, without the values that are an owner's own.</summary>
internal static class UnitText
{
    private const string Gone = "***";
    private static readonly string[] Lists = ["Environment", "UnsetEnvironment"];

    /// <summary>The names of variables and credentials stay.</summary>
    public static string Redact(string text)
    {
        var shown = new List<string>();
        var lines = text.Split('\n');
        for (var at = 0; at < lines.Length; at++)
        {
            // What is commented out was in use once: its value may still be.
            var pair = lines[at].TrimStart('#', ';', ' ', '\t').Split('=', 2);
            var name = pair[0].Trim();
            if (pair.Length < 2 || !(Lists.Contains(name) || name.StartsWith("SetCredential", StringComparison.Ordinal)))
            {
                shown.Add(lines[at]);
                continue;
            }
            var commented = IsComment(lines[at]);
            var value = new StringBuilder(pair[1]);
            for (var last = lines[at]; GoesOn(last) && at < lines.Length - 1;)
            {
                at++;
                // A comment between the lines of a value does not end it.
                if (commented || !IsComment(lines[at]))
                {
                    last = lines[at];
                    value.Append('\n').Append(last);
                }
            }
            shown.Add($"{(commented ? "#" : "")}{name}={(Lists.Contains(name) ? Assignments(value.ToString()) : Credential(value.ToString()))}");
        }
        return string.Join('\n', shown);
    }

    private static bool IsComment(string line) => line.TrimStart() is ['#' or ';', ..];

    private static bool GoesOn(string line) => line.TrimEnd('\r', ' ', '\t').EndsWith('\\');

    private static string Credential(string value) => value.Split(':', 2) is [var name, _] ? $"{name.Trim()}:{Gone}" : value.Trim().Length == 0 ? "" : Gone;

    private static string Assignments(string value) => string.Join(' ', Words(value).Select(word =>
        word.Split('=', 2) is [var name, _] && NameRules.IsVariable(name) ? $"{name}={Gone}" : Gone));

    /// <summary>Apart at white space, except within quotes. Only where a word begins matters: what is in it is not shown.</summary>
    private static IEnumerable<string> Words(string value)
    {
        var word = new StringBuilder();
        var quote = '\0';
        for (var at = 0; at < value.Length; at++)
        {
            switch (value[at])
            {
                case '\\' when at + 1 < value.Length && value[at + 1] is not ('\n' or '\r'):
                    word.Append(value[++at]);
                    break;
                case '\\':
                    break;
                case var mark when quote == mark:
                    quote = '\0';
                    break;
                case '"' or '\'' when quote == '\0':
                    quote = value[at];
                    break;
                case '$' when word.Length == 0:   // systemctl show writes $'…' around what holds a control character
                    break;
                case var space when quote == '\0' && char.IsWhiteSpace(space):
                    if (word.Length > 0)
                    {
                        yield return word.ToString();
                        word.Clear();
                    }
                    break;
                case var other:
                    word.Append(other);
                    break;
            }
        }
        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }
}
