using RagAgent.Common;
using RagAgent.Diagnostics.Checks;
using RagAgent.Reporting;

namespace RagAgent.Control.Checks;

/// <summary>Reports what the running agent says about the app.</summary>
internal sealed class AppCheck(ControlSocketLock controlSocket) : ICheck
{
    public string Name => "app";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        using var client = new ControlClient(controlSocket.Directory);
        try
        {
            return Evaluate(await client.StatusAsync(after: null, stopping));
        }
        catch (ProblemException exception) when (ForUnreachableAgent(exception.Problem) is { } result)
        {
            return result;
        }
    }

    /// <returns>Null if the missing answer is itself the failure.</returns>
    public static CheckResult? ForUnreachableAgent(Problem problem) => problem.Kind switch
    {
        var kind when kind == ProblemCatalog.NotRunning => CheckResult.Skipped("No agent is running here that could report on it."),
        var kind when kind == ProblemCatalog.ControlDenied =>
            CheckResult.Skipped($"The app's status is visible only to users allowed to query the agent. {problem}"),
        _ => null,
    };

    public static CheckResult Evaluate(StatusDocument status) => status switch
    {
        { App: { StoppedBy: not null } } => CheckResult.Warning(status.Headline, "ragagent start"),
        { App.State: "serving", FrontDoor.Open: true, Problems: [], Rollout.SetAside: { } avoided } =>
            CheckResult.Warning(status.Headline, avoided.Why.Remedy),
        { App.State: "serving", FrontDoor.Open: true, Problems: [] } => CheckResult.Ok(status.Headline),
        { App.State: "serving", FrontDoor.Open: true } => CheckResult.Warning(
            string.Join(' ', NewProblems(status).Prepend(status.Headline)),
            string.Join(' ', status.Problems.Select(problem => problem.Remedy).Distinct())),
        { App.State: "backoff" or "unhealthy" } or { Problems.Count: > 0 } or { FrontDoor.Open: false } =>
            new CheckResult(
                CheckOutcome.Failed, status.Headline, "See 'ragagent status' and 'ragagent logs -x'.", FirstProblemCode(status)),
        _ => CheckResult.Warning(status.Headline, "It is in progress: 'ragagent status --watch' shows how far it is."),
    };

    /// <summary>The problems that the headline does not mention.</summary>
    private static IEnumerable<string> NewProblems(StatusDocument status) => status.Problems
        .Select(problem => problem.What).Where(what => !status.Headline.Contains(what, StringComparison.Ordinal));

    private static string? FirstProblemCode(StatusDocument status) =>
        (status.Problems is [{ } first, ..] ? first : status.LastFailure?.Problem)?.Code;
}
