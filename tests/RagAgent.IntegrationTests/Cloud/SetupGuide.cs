using System.Text;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>The commands of docs/aws-setup.md that are to be run, as its reader would type them: what a comment "run: …" stands before.</summary>
internal static class SetupGuide
{
    private const string RunMarker = "<!-- run:";

    /// <summary>One script of all blocks of a kind: "aws" in this project's folder or, as "aws app", in the app's, and "local" in the app's.</summary>
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
                run = line.StartsWith(RunMarker, StringComparison.Ordinal) ? line[RunMarker.Length..^"-->".Length].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
                if (run is [var begun, "app"] && begun == kind)
                {
                    script.AppendLine("pushd app >/dev/null");
                }
            }
        }
        return script.ToString();
    }
}
