using System.Text;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>How secrets get into the app's environment without being written anywhere: through the container's standard input.</summary>
/// <remarks>
/// A shell that runs before the image's own command reads assignments from its standard input up to an end mark, exports
/// them and replaces itself by the command. The engine stores that shell script, never what it reads. When the input ends early
/// (the agent died between start and handover) the shell exits with <see cref="NotDeliveredExitCode"/>, and the container is started
/// anew. See docs/decisions/0002-secrets-through-standard-input.md.
/// </remarks>
internal static class SecretHandover
{
    /// <summary>The exit code of a container that did not get its secrets.</summary>
    public const int NotDeliveredExitCode = 97;

    // Four quotes in a row stand nowhere in a quoted value, whatever it holds: no beginning of a message looks like a whole one.
    private const string EndMark = "#''''";

    // Only shell built-ins: an image needs no other tool. `read` without -r or with IFS would eat backslashes and blanks.
    // The two variables have names that neither a secret nor the image's own environment has.
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

    /// <summary>The entrypoint that stands before the image's own.</summary>
    public static IList<string> Entrypoint { get; } = ["/bin/sh", "-c", Script, "ragagent"];

    /// <summary>What is written to the standard input. Quoted so that the shell takes every character as it is.</summary>
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
