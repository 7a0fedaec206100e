using System.Text;

namespace RagAgent.Aws.Dns;

/// <summary>Compares names as DNS does.</summary>
internal static class DnsName
{
    /// <summary>Ignores case, a trailing dot and Route 53's escapes (<c>\052</c> is <c>*</c>).</summary>
    public static bool AreEqual(string one, string other) => Normalize(one) == Normalize(other);

    /// <summary>In lower case, without a trailing dot, with escapes decoded.</summary>
    public static string Normalize(string name)
    {
        var normalized = new StringBuilder(name.Length);
        for (var at = 0; at < name.Length; at++)
        {
            if (name[at] == '\\' && at + 3 < name.Length && IsOctal(name.AsSpan(at + 1, 3)))
            {
                normalized.Append((char)(((name[at + 1] - '0') << 6) + ((name[at + 2] - '0') << 3) + (name[at + 3] - '0')));
                at += 3;
            }
            else
            {
                normalized.Append(name[at]);
            }
        }
        if (normalized.Length > 0 && normalized[^1] == '.')
        {
            normalized.Length--;
        }
        return normalized.ToString().ToLowerInvariant();
    }

    private static bool IsOctal(ReadOnlySpan<char> digits) => !digits.ContainsAnyExceptInRange('0', '7');
}
