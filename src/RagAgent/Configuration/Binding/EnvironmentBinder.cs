using System.Text;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>environment</c> section. Its values are never shown.</summary>
internal static class EnvironmentBinder
{
    /// <summary>Linux limits <c>NAME=value</c> to 128 KiB with its terminating zero byte.</summary>
    private const int MaxEntryBytes = 128 * 1024 - 2;

    public static IReadOnlyDictionary<string, string> Bind(ConfigSection file, ConfigErrors errors)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((var path, var member) in file.Variables("environment"))
        {
            if (file.LineOf("secrets", member.Name) is { } line)
            {
                errors.Add(member.Position, path, $"is also in secrets (line {line}); keep only one of them");
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
            "looks like an OpenAI key, and the engine stores the environment on disk; put the key in Parameter Store and name the parameter "
            + $"in secrets: \"secrets\": {{ \"{Quoting.Key(member.Name)}\": \"/ragstream/{Quoting.Key(member.Name)}\" }}",
        StringNode text when text.Value.Contains('\0', StringComparison.Ordinal) => "must not contain a null character (\\u0000)",
        StringNode text when Encoding.UTF8.GetByteCount(text.Value) + member.Name.Length > MaxEntryBytes =>
            "must be shorter than 128 KiB, including its name",
        StringNode => null,
        NumberNode or BooleanNode => ErrorMessages.Must("be a string", member.Value.TypeName, "put the value in double quotes"),
        NullNode => ErrorMessages.Must("be a string", "null", "use \"\" for an empty value, or remove the key to leave the variable unset"),
        _ => ErrorMessages.Must("be a string", member.Value.TypeName),
    };
}
