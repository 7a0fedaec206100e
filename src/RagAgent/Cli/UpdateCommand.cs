using System.CommandLine;
using RagAgent.Control;
using RagAgent.Supervision;

namespace RagAgent.Cli;

/// <summary><c>ragagent update</c>: looks for a newer release now, waits until it serves, and says what came of it.</summary>
internal static class UpdateCommand
{
    public static Command Create()
    {
        var directory = Options.RuntimeDirectory();
        var command = new Command("update", "Look for a newer image or secret now, and run it. Exit code 0: the newest serves.") { directory };
        command.SetAction((parsed, stopping) => AgentCall.DoAsync(parsed.GetValue(directory)!, agent => FollowAsync(agent, stopping)));
        return command;
    }

    private static async Task<int> FollowAsync(ControlClient agent, CancellationToken stopping)
    {
        var asked = await agent.UpdateAsync(stopping);
        var told = "";
        long? seen = null;
        while (true)
        {
            var status = await agent.StatusAsync(seen, stopping);
            seen = status.Revision;
            if (status.Update.Last is { } last && last.Id >= asked.Id)
            {
                return Tell(last);
            }
            var headline = status.Image.Pull is { } pull ? $"Pulling {status.Image.Reference}: {pull.Percent / 10 * 10} %." : status.Headline;
            if (headline != told)
            {
                Console.WriteLine(headline);
                told = headline;
            }
        }
    }

    private static int Tell(UpdateResult last)
    {
        if (last.Problem is { } problem)
        {
            Console.Error.WriteLine($"ragagent: the update failed. {problem.What} {problem.Remedy}");
            return ExitCodes.Failed;
        }
        Console.WriteLine(last.Changed ? $"{Words.Digest(last.Digest ?? "")} serves now." : $"Nothing newer: {Words.Digest(last.Digest ?? "")} serves.");
        return ExitCodes.Ok;
    }
}
