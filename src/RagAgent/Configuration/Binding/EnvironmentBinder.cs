using System.Text;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>environment</c> section. Its values are never shown.</summary>
internal static class EnvironmentBinder
{
    /// <summary>Linux takes no longer <c>NAME=value</c> than 128 KiB with its closing zero byte.</summary>
    private const int MaxEntryBytes = 128 * 1024 - 2;

    public static IReadOnlyDictionary<string, string> Bind(ConfigSection file, ConfigErrors errors)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((var path, var member) in file.Variables("environment"))
        {
            if (file.LineOf("secrets", member.Name) is { } line)
            {
                errors.Add(member.Position, path, $"is also in secrets (line {line}); keep it in one of the two");
            }

            if (FindProblem(member) is { } problem)
            {
                errors.Add(member.Value.Position, path, problem);
            }
            else
            {
                environment[member.Name] = ((StringNode)member.Value).Value;
            }
        }

        return environment;
    }

    private static string? FindProblem(Member member) => member.Value switch
    {
        StringNode text when Quoting.ContainsOpenAiKey(text.Value) =>
            "this looks like an OpenAI key, and the engine writes the environment to its disk; put the key in Parameter Store and name the parameter "
            + $"in secrets: \"secrets\": {{ \"{Quoting.Key(member.Name)}\": \"/ragstream/{Quoting.Key(member.Name)}\" }}",
        StringNode text when text.Value.Contains('\0', StringComparison.Ordinal) => "must hold no zero character (\\u0000)",
        StringNode text when Encoding.UTF8.GetByteCount(text.Value) + member.Name.Length > MaxEntryBytes => "must be shorter than 128 KiB with its name",
        StringNode => null,
        NumberNode or BooleanNode => ErrorMessages.Must("be a text", member.Value.TypeName, "put the value in double quotes"),
        NullNode => ErrorMessages.Must("be a text", "null", "for an empty value write \"\", to leave the variable unset remove the key"),
        _ => ErrorMessages.Must("be a text", member.Value.TypeName),
    };
}
