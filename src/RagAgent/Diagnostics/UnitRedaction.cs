using System.Text;
using RagAgent.Configuration.Values;

namespace RagAgent.Diagnostics;

/// <summary>Masks the operator's own values in what <c>systemctl cat</c> and <c>systemctl show</c> print about units.</summary>
internal static class UnitRedaction
{
    private static readonly string[] AssignmentLists = ["Environment", "UnsetEnvironment"];

    /// <summary>The names of variables and credentials stay.</summary>
    public static string Redact(string text)
    {
        var redacted = new List<string>();
        var lines = text.Split('\n');
        for (var index = 0; index < lines.Length; index++)
        {
            // A setting that is commented out was used once. Its value may still be a secret.
            var pair = lines[index].TrimStart('#', ';', ' ', '\t').Split('=', 2);
            var name = pair[0].Trim();
            if (pair.Length < 2 || !(AssignmentLists.Contains(name) || name.StartsWith("SetCredential", StringComparison.Ordinal)))
            {
                redacted.Add(lines[index]);
                continue;
            }
            var commented = IsComment(lines[index]);
            var value = new StringBuilder(pair[1]);
            for (var lastLine = lines[index]; ContinuesOnNextLine(lastLine) && index < lines.Length - 1;)
            {
                index++;
                // A comment between the lines of a value does not end the value.
                if (commented || !IsComment(lines[index]))
                {
                    lastLine = lines[index];
                    value.Append('\n').Append(lastLine);
                }
            }
            var masked = AssignmentLists.Contains(name) ? MaskAssignments(value.ToString()) : MaskCredential(value.ToString());
            redacted.Add($"{(commented ? "#" : "")}{name}={masked}");
        }
        return string.Join('\n', redacted);
    }

    private static bool IsComment(string line) => line.TrimStart() is ['#' or ';', ..];

    private static bool ContinuesOnNextLine(string line) => line.TrimEnd('\r', ' ', '\t').EndsWith('\\');

    private static string MaskCredential(string value) => value.Split(':', 2) switch
    {
        [var name, _] => $"{name.Trim()}:{Redaction.Mask}",
        _ when value.Trim().Length == 0 => "",
        _ => Redaction.Mask,
    };

    private static string MaskAssignments(string value) => string.Join(' ', SplitWords(value).Select(word =>
        word.Split('=', 2) is [var name, _] && NameRules.IsVariable(name) ? $"{name}={Redaction.Mask}" : Redaction.Mask));

    /// <summary>Splits at white space outside of quotes. Escapes need not be exact: only names are shown.</summary>
    private static IEnumerable<string> SplitWords(string value)
    {
        var word = new StringBuilder();
        var quote = '\0';
        for (var index = 0; index < value.Length; index++)
        {
            switch (value[index])
            {
                case '\\' when index + 1 < value.Length && value[index + 1] is not ('\n' or '\r'):
                    word.Append(value[++index]);
                    break;
                case '\\':
                    break;
                case var mark when quote == mark:
                    quote = '\0';
                    break;
                case '"' or '\'' when quote == '\0':
                    quote = value[index];
                    break;
                case '$' when word.Length == 0:   // systemctl show writes $'…' around text with control characters
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
