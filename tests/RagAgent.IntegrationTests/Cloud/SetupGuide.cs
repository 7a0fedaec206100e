using System.Text;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>The runnable commands of docs/aws-setup.md: the code blocks after a comment "run: …".</summary>
internal static class SetupGuide
{
    private const string RunMarker = "<!-- run:";

    /// <summary>All blocks of a kind as one script. "aws" runs in this project's folder, "aws app" and "local" in the app's.</summary>
    public static string Commands(string path, string kind)
    {
        var script = new StringBuilder();
        string[] run = [];
        foreach (var line in File.ReadLines(path))
        {
            var isCommand = line.StartsWith("    ", StringComparison.Ordinal);
            if (isCommand && run is [var own, ..] && own == kind)
            {
                script.AppendLine(line[4..]);
            }
            else if (!isCommand && line.Length > 0)
            {
                if (run is [var ended, "app"] && ended == kind)
                {
                    script.AppendLine("popd >/dev/null");
                }
                run = line.StartsWith(RunMarker, StringComparison.Ordinal)
                    ? line[RunMarker.Length..^"-->".Length].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    : [];
                if (run is [var begun, "app"] && begun == kind)
                {
                    script.AppendLine("pushd app >/dev/null");
                }
            }
        }
        return script.ToString();
    }
}
