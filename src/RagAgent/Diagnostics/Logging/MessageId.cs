using System.Security.Cryptography;
using System.Text;

namespace RagAgent.Diagnostics.Logging;

/// <summary>The journal's <c>MESSAGE_ID</c>, under which the message catalog explains a message.</summary>
internal static class MessageId
{
    /// <summary>32 hexadecimal digits, derived from the name alone, so that the catalog can be generated from the names.</summary>
    /// <param name="name">The name of an event or the code of a problem, as in <c>docs/messages.md</c>.</param>
    public static string For(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"ragagent:{name}")).AsSpan(0, 16));

    /// <summary>Converts <c>ContainerServes</c> to <c>container-serves</c>.</summary>
    public static string ToKebabCase(string name) => JoinWords(name, '-').ToLowerInvariant();

    /// <summary>Converts <c>ContainerServes</c> to <c>CONTAINER_SERVES</c>, the form of a journal field.</summary>
    public static string ToFieldName(string name) => JoinWords(name, '_').ToUpperInvariant();

    private static string JoinWords(string name, char separator)
    {
        var joined = new StringBuilder(name.Length + 4);
        for (var index = 0; index < name.Length; index++)
        {
            if (StartsWord(name, index))
            {
                joined.Append(separator);
            }
            joined.Append(name[index]);
        }
        return joined.ToString();
    }

    /// <summary>A capital after a small letter, or the last capital of several before a small letter: <c>HTTPServer</c> has two.</summary>
    private static bool StartsWord(string name, int index) =>
        index > 0 && char.IsAsciiLetterUpper(name[index]) &&
        (!char.IsAsciiLetterUpper(name[index - 1]) || (index + 1 < name.Length && char.IsAsciiLetterLower(name[index + 1])));
}
