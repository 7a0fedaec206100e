using System.Text;

namespace RagAgent.Configuration;

/// <summary>The <c>environment</c> section. Its values are never shown.</summary>
internal static class EnvironmentBinder
{
    /// <summary>Linux takes no longer <c>NAME=value</c> than 128 KiB with its closing zero byte.</summary>
    private const int LongestEntry = 128 * 1024 - 2;

    public static IReadOnlyDictionary<string, string> Bind(Section file, Findings findings)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string path, Member member) in file.Variables("environment"))
        {
            if (file.LineOf("secrets", member.Name) is { } line)
                findings.Add(member.At, path, $"is also in secrets (line {line}); keep it in one of the two");
            if (Problem(member) is { } problem) findings.Add(member.Value.At, path, problem);
            else environment[member.Name] = ((TextNode)member.Value).Value;
        }

        return environment;
    }

    private static string? Problem(Member member) => member.Value switch
    {
        TextNode text when Shown.HoldsOpenAiKey(text.Value) =>
            "this looks like an OpenAI key, and the engine writes the environment to its disk; put the key in Parameter Store and name the parameter "
            + $"in secrets: \"secrets\": {{ \"{Shown.Name(member.Name)}\": \"/ragstream/{Shown.Name(member.Name)}\" }}",
        TextNode text when text.Value.Contains('\0', StringComparison.Ordinal) => "must hold no zero character (\\u0000)",
        TextNode text when Encoding.UTF8.GetByteCount(text.Value) + member.Name.Length > LongestEntry => "must be shorter than 128 KiB with its name",
        TextNode => null,
        NumberNode or FlagNode => Say.Must("be a text", member.Value.Kind, "put the value in double quotes"),
        NullNode => Say.Must("be a text", "null", "for an empty value write \"\", to leave the variable unset remove the key"),
        _ => Say.Must("be a text", member.Value.Kind),
    };
}
