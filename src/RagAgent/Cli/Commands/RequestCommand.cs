using System.CommandLine;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Reporting;

namespace RagAgent.Cli.Commands;

/// <summary>A command that asks the agent for something, waits until it has come about, and says how it ended.</summary>
internal static class RequestCommand
{
    /// <param name="name">Of the command, and of the request in the control API.</param>
    /// <param name="description">For <c>--help</c>.</param>
    /// <param name="describe">What to say when it came about.</param>
    public static Command Create(string name, string description, Func<UpdateResult, string> describe)
    {
        var runtimeDirectory = Options.RuntimeDirectory();
        var command = new Command(name, description) { runtimeDirectory };
        command.SetAction((parsed, stopping) => AgentConnection.UseAsync(parsed.GetValue(runtimeDirectory)!, agent => FollowAsync(agent, name, describe, stopping)));
        return command;
    }

    private static async Task<int> FollowAsync(ControlClient agent, string name, Func<UpdateResult, string> describe, CancellationToken stopping)
    {
        var accepted = await agent.RequestAsync(name, stopping);
        try
        {
            return await FollowAsync(agent, accepted, name, describe, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Console.Error.WriteLine($"ragagent: the end of the {name} is not waited for any more. It goes on; 'ragagent status' shows it.");
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> FollowAsync(ControlClient agent, UpdateAccepted accepted, string name, Func<UpdateResult, string> describe, CancellationToken stopping)
    {
        var lastHeadline = "";
        long? lastRevision = null;
        while (true)
        {
            var status = await agent.StatusAsync(lastRevision, stopping);
            lastRevision = status.Revision;
            if (status.Update.Last is { } last && last.Id >= accepted.Id)
            {
                var code = ReportOutcome(name, last, describe);
                return code == ExitCodes.Ok ? ReportOtherProblems(status) : code;
            }
            var headline = status.Image.Pull is { } pull ? $"Pulling {status.Image.Reference}: {pull.Percent / 10 * 10} %." : status.Headline;
            if (headline != lastHeadline)
            {
                Console.WriteLine(headline);
                lastHeadline = headline;
            }
        }
    }

    private static int ReportOutcome(string name, UpdateResult last, Func<UpdateResult, string> describe)
    {
        if (last.Kind != name)
        {
            Console.Error.WriteLine($"ragagent: the {name} was overtaken by '{last.Kind}', which somebody asked for since.");
            return ExitCodes.Failed;
        }
        if (last.Problem is { } problem)
        {
            Console.Error.WriteLine($"ragagent: the {name} failed. {problem.What} {problem.Remedy}");
            return ExitCodes.Failed;
        }
        Console.WriteLine(describe(last));
        return ExitCodes.Ok;
    }

    /// <summary>It came about, and all the same nobody may get in: who asked wants to know.</summary>
    private static int ReportOtherProblems(StatusDocument status)
    {
        foreach (var problem in status.Problems)
        {
            Console.Error.WriteLine($"ragagent: {problem.What} {problem.Remedy}");
        }
        return status.App.State == "serving" && !status.FrontDoor.Open ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>What serves after a request for another release.</summary>
    public static string DescribeServing(UpdateResult last) =>
        last.Changed ? $"{Humanize.Digest(last.Digest ?? "")} serves now." : $"Nothing newer: {Humanize.Digest(last.Digest ?? "")} serves.";
}
