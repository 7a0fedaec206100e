using System.Text;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>
/// Passes secrets to the app's environment and files through the container's standard input, so that nothing writes them to a disk.
/// </summary>
/// <remarks>
/// A shell that runs before the image's own command reads assignments from its standard input up to an end mark, exports
/// them and replaces itself with the command. The engine stores that script, but not what it reads. If the input ends early
/// (the agent died between start and handover), the shell exits with <see cref="NotDeliveredExitCode"/> and the agent starts the
/// container again. See docs/decisions/0002-secrets-through-standard-input.md and, for files, 0022-secrets-as-files.md.
/// </remarks>
internal static class SecretHandover
{
    /// <summary>The exit code of a container that did not get its secrets.</summary>
    public const int NotDeliveredExitCode = 97;

    /// <summary>The exit code of a container whose shell could not write the files of secrets. It has said why.</summary>
    public const int NotWrittenExitCode = 98;

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

    // A printf that is a program of its own would have the secret among its arguments, for all to see.
    private const string RequireBuiltIn = """
        [ "$(command -v printf)" = printf ] || { echo "ragagent: the image's shell lacks a built-in printf to write secrets into files" >&2; exit 98; }

        """;

    /// <summary>The entrypoint that runs before the image's own.</summary>
    public static IList<string> Entrypoint { get; } = ["/bin/sh", "-c", Script, "ragagent"];

    /// <summary>Builds the text for the standard input. Quoted so that the shell takes every character literally.</summary>
    /// <param name="secrets">The secrets, each for a variable or a file.</param>
    /// <param name="streamlitFile">The file that also gets the secrets for variables, for <c>st.secrets</c>; null: none.</param>
    public static byte[] BuildMessage(IReadOnlyCollection<LoadedSecret> secrets, string? streamlitFile = null)
    {
        var text = new StringBuilder();
        var variables = secrets.Where(secret => secret.Path is null).ToArray();
        foreach (var secret in variables)
        {
            text.Append($"export {secret.Variable}={Quote(secret.Value.Reveal())}\n");
        }

        if (streamlitFile is not null || variables.Length < secrets.Count)
        {
            text.Append(RequireBuiltIn);
        }

        foreach (var secret in secrets.Where(secret => secret.Path is not null))
        {
            AppendFile(text, secret.Path!, secret.Value.Reveal());
        }

        if (streamlitFile is not null)
        {
            var lines = variables.Select(secret => $"{secret.Variable} = {TomlString.Quote(secret.Value.Reveal())}\n");
            AppendFile(text, streamlitFile, string.Concat(lines));
        }

        return Encoding.UTF8.GetBytes(text.Append(EndMark).Append('\n').ToString());
    }

    /// <summary>The umask gives the file its mode from the start, and ends with the subshell.</summary>
    private static void AppendFile(StringBuilder text, string path, string content) =>
        text.Append($"(umask 377; printf %s {Quote(content)} >{Quote(path)}) || ")
            .Append($"{{ echo 'ragagent: a secret could not be written to '{Quote(path)} >&2; exit {NotWrittenExitCode}; }}\n");

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
