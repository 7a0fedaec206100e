using System.Security.Cryptography;
using System.Text;

namespace RagAgent.Common;

/// <summary>A short hash that names a configuration, a set of secrets or a release.</summary>
internal static class Fingerprint
{
    /// <summary>
    /// Twelve hex digits of a hash over the parts, in order. Each part is prefixed with its length, so two different lists never join to
    /// the same text.
    /// </summary>
    public static string Of(params IEnumerable<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(part.Length).Append(':').Append(part);
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..12];
    }
}
