using System.Text;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>
/// Passes secrets to the app's environment through the container's standard input, so that nothing writes them to a disk.
/// </summary>
/// <remarks>
/// A shell that runs before the image's own command reads assignments from its standard input up to an end mark, exports
/// them and replaces itself with the command. The engine stores that script, but not what it reads. If the input ends early
/// (the agent died between start and handover), the shell exits with <see cref="NotDeliveredExitCode"/> and the agent starts the
/// container again. See docs/decisions/0002-secrets-through-standard-input.md.
/// </remarks>
internal static class SecretHandover
{
    /// <summary>The exit code of a container that did not get its secrets.</summary>
    public const int NotDeliveredExitCode = 97;

    // A quoted value never contains four quotes in a row, so a truncated message can't look complete.
    private const string EndMark = "#''''";

    // Only shell built-ins, so that an image needs no other tool. Without -r and an empty IFS, `read` would drop backslashes and
    // blanks. No secret and no image uses the names of the two variables.
    private const string Script = """
        ragagent_text=
        while IFS= read -r ragagent_line; do ragagent_text="$ragagent_text$ragagent_line
        "; done
        case "$ragagent_text" in *"#''''
        ") ;; *) echo 'ragagent: the secrets were not delivered' >&2; exit 97 ;; esac
        eval "$ragagent_text"
        unset ragagent_text ragagent_line
        exec "$@" </dev/null
        """;

    /// <summary>The entrypoint that runs before the image's own.</summary>
    public static IList<string> Entrypoint { get; } = ["/bin/sh", "-c", Script, "ragagent"];

    /// <summary>Builds the text for the standard input. Quoted so that the shell takes every character literally.</summary>
    public static byte[] BuildMessage(IEnumerable<LoadedSecret> secrets)
    {
        var text = new StringBuilder();
        foreach (var secret in secrets)
        {
            text.Append("export ").Append(secret.Variable).Append("='")
                .Append(secret.Value.Reveal().Replace("'", "'\\''", StringComparison.Ordinal)).Append("'\n");
        }
        return Encoding.UTF8.GetBytes(text.Append(EndMark).Append('\n').ToString());
    }
}
