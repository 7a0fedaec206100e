using System.Text;
using RagAgent.Configuration.Values;

namespace RagAgent.Diagnostics;

/// <summary>What systemd says of units, as <c>systemctl cat</c> and <c>systemctl show</c> write it, without the values that are an owner's own.</summary>
internal static class UnitRedaction
{
    private const string Mask = "***";
    private static readonly string[] AssignmentLists = ["Environment", "UnsetEnvironment"];

    /// <summary>The names of variables and credentials stay.</summary>
    public static string Redact(string text)
    {
        var redacted = new List<string>();
        var lines = text.Split('\n');
        for (var at = 0; at < lines.Length; at++)
        {
            // What is commented out was in use once: its value may still be.
            var pair = lines[at].TrimStart('#', ';', ' ', '\t').Split('=', 2);
            var name = pair[0].Trim();
            if (pair.Length < 2 || !(AssignmentLists.Contains(name) || name.StartsWith("SetCredential", StringComparison.Ordinal)))
            {
                redacted.Add(lines[at]);
                continue;
            }
            var commented = IsComment(lines[at]);
            var value = new StringBuilder(pair[1]);
            for (var lastLine = lines[at]; ContinuesOnNextLine(lastLine) && at < lines.Length - 1;)
            {
                at++;
                // A comment between the lines of a value does not end it.
                if (commented || !IsComment(lines[at]))
                {
                    lastLine = lines[at];
                    value.Append('\n').Append(lastLine);
                }
            }
            redacted.Add($"{(commented ? "#" : "")}{name}={(AssignmentLists.Contains(name) ? MaskAssignments(value.ToString()) : MaskCredential(value.ToString()))}");
        }
        return string.Join('\n', redacted);
    }

    private static bool IsComment(string line) => line.TrimStart() is ['#' or ';', ..];

    private static bool ContinuesOnNextLine(string line) => line.TrimEnd('\r', ' ', '\t').EndsWith('\\');

    private static string MaskCredential(string value) => value.Split(':', 2) is [var name, _] ? $"{name.Trim()}:{Mask}" : value.Trim().Length == 0 ? "" : Mask;

    private static string MaskAssignments(string value) => string.Join(' ', SplitWords(value).Select(word =>
        word.Split('=', 2) is [var name, _] && NameRules.IsVariable(name) ? $"{name}={Mask}" : Mask));

    /// <summary>Apart at white space, except within quotes. Only where a word begins matters: what is in it is not shown.</summary>
    private static IEnumerable<string> SplitWords(string value)
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
