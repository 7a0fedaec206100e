using System.Security.Cryptography;
using System.Text;

namespace RagAgent.Diagnostics.Logging;

/// <summary>The journal's number for a kind of message, by which its catalog explains it.</summary>
internal static class MessageId
{
    /// <summary>32 hexadecimal digits that follow from the name alone, so that the catalog can be made from the names.</summary>
    /// <param name="name">Of an event or of a problem, as <c>docs/messages.md</c> has it.</param>
    public static string For(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"ragagent:{name}")).AsSpan(0, 16));

    /// <summary>A method's or property's name in the parts it is made of, as in <c>container-serves</c>.</summary>
    public static string ToKebabCase(string name) => JoinWords(name, '-').ToLowerInvariant();

    /// <summary>The same as a field of the journal has it, as in <c>CONTAINER_SERVES</c>.</summary>
    public static string ToFieldName(string name) => JoinWords(name, '_').ToUpperInvariant();

    private static string JoinWords(string name, char separator)
    {
        var joined = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsAsciiLetterUpper(name[i]) && (!char.IsAsciiLetterUpper(name[i - 1]) || (i + 1 < name.Length && char.IsAsciiLetterLower(name[i + 1]))))
            {
                joined.Append(separator);
            }
            joined.Append(name[i]);
        }
        return joined.ToString();
    }
}
