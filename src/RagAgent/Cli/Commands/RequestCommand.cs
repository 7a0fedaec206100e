using System.CommandLine;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Reporting;

namespace RagAgent.Cli.Commands;

/// <summary>A command that sends a request to the agent, waits until it is completed and prints the outcome.</summary>
internal static class RequestCommand
{
    /// <param name="name">The name of the command and of the request in the control API.</param>
    /// <param name="description">For <c>--help</c>.</param>
    /// <param name="describe">The message on success.</param>
    public static Command Create(string name, string description, Func<UpdateResult, string> describe)
    {
        var runtimeDirectory = Options.RuntimeDirectory();
        var command = new Command(name, description) { runtimeDirectory };
        command.SetAction((parsed, stopping) =>
            AgentConnection.UseAsync(parsed.GetValue(runtimeDirectory)!, agent => FollowAsync(agent, name, describe, stopping)));
        return command;
    }

    private static async Task<int> FollowAsync(
        ControlClient agent,
        string name,
        Func<UpdateResult, string> describe,
        CancellationToken stopping)
    {
        var accepted = await agent.RequestAsync(name, stopping);
        try
        {
            return await FollowAsync(agent, accepted, name, describe, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Console.Error.WriteLine($"ragagent: stopped waiting for the {name}. It continues in the agent; 'ragagent status' shows it.");
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> FollowAsync(
        ControlClient agent,
        UpdateAccepted accepted,
        string name,
        Func<UpdateResult, string> describe,
        CancellationToken stopping)
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
            // In steps of 10 %, to print few lines.
            var headline = status.Image.Pull is { } pull
                ? $"Pulling {status.Image.Reference}: {pull.Percent / 10 * 10} %."
                : status.Headline;
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
            Console.Error.WriteLine($"ragagent: the {name} was superseded by a later '{last.Kind}'.");
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

    /// <summary>The request succeeded, but clients may still be locked out for another reason.</summary>
    private static int ReportOtherProblems(StatusDocument status)
    {
        foreach (var problem in status.Problems)
        {
            Console.Error.WriteLine($"ragagent: {problem.What} {problem.Remedy}");
        }
        return status.App.State == "serving" && !status.FrontDoor.Open ? ExitCodes.Failed : ExitCodes.Ok;
    }

    /// <summary>Tells which image serves after a request for another one.</summary>
    public static string DescribeServing(UpdateResult last)
    {
        var digest = Humanize.Digest(last.Digest ?? "");
        return last.Changed ? $"{digest} serves now." : $"Nothing newer: {digest} serves.";
    }
}
