using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The container's own failures, in an operator's words.</summary>
internal static class ContainerProblems
{
    public const string SeeJournal = "Its output is in the journal.";

    public static Problem Exited(Container container, ContainerExit exit) => new(
        exit switch
        {
            { OutOfMemory: true } => ProblemCatalog.AppOutOfMemory,
            { Code: 97 } => ProblemCatalog.SecretsNotDelivered,
            _ => ProblemCatalog.AppExited,
        },
        $"The app's container {container.Name} {exit.Describe()}.",
        exit switch
        {
            { OutOfMemory: true } => "Raise container.memory, or use a larger instance.",
            { Code: 97 } => "It was started without the agent, and only the agent hands over the secrets.",
            { Code: 134 or 136 or 139 } => "It crashed inside native code. " + SeeJournal,
            { Code: 126 or 127 } => "Its command can't be run: check the image's ENTRYPOINT and CMD.",
            _ => SeeJournal,
        });

    public static Problem EndedWithEngine(Container container, ContainerExit exit) => new(
        ProblemCatalog.AppEndedWithEngine,
        $"The app's container {container.Name} {exit.Describe()} while Docker Engine itself was down.",
        "\"live-restore\": true in /etc/docker/daemon.json keeps containers running while the engine restarts.");

    /// <summary>The image is avoided because of a container's label, which says nothing about the reason.</summary>
    public static Problem FailedBefore(ImageName image) => new(
        ProblemCatalog.ImageFailedBefore,
        $"The image {Humanize.Digest(image.Digest)} failed under an earlier run of the agent, whose state file is lost.",
        "Push a fixed image, or try this one again with 'ragagent unquarantine'.");

    /// <summary>The engine went down and took the container with it.</summary>
    public static bool IsEngineRestart(Problem problem) => problem.Kind == ProblemCatalog.AppEndedWithEngine;

    /// <summary>The failure that a container is stopped for; null when it is stopped for another reason.</summary>
    public static Problem? OfStop(ContainerState.Stopping stopping) => stopping.Reason switch
    {
        StopReason.Unhealthy unhealthy => Unhealthy(stopping.Container, unhealthy),
        StopReason.NeverHealthy neverHealthy => NeverHealthy(stopping.Container, neverHealthy),
        StopReason.SessionFailed failed => SessionFailed(stopping.Container, failed.Error),
        _ => null,
    };

    public static Problem Removed(Container container) => new(
        ProblemCatalog.ContainerRemoved,
        $"The app's container {container.Name} was removed by someone else.",
        "The agent creates a new one.");

    public static Problem NeverHealthy(Container container, StopReason.NeverHealthy reason)
    {
        var lastError = reason.LastError is { } error ? $": {error}." : ".";
        var advice = reason.HttpStatus == 404
            ? "It listens but has no such page: correct health.startup.path, and check listen.basePath."
            : "Check that it listens on container.port, and raise health.startup.deadline if it needs longer.";
        return new(
            ProblemCatalog.AppNeverHealthy,
            $"The app's container {container.Name} was not ready within {Humanize.Duration(reason.Deadline)} of its start{lastError}",
            $"{advice} {SeeJournal}");
    }

    /// <summary>The app answers its probes, but its page does not work.</summary>
    public static Problem SessionFailed(Container container, string error) => new(
        ProblemCatalog.AppSessionFailed,
        $"The app's container {container.Name} runs, but its page fails: {error}.",
        $"Run the image on your own machine and open its page. {SeeJournal}");

    /// <summary>The process ended while the gate ran a session.</summary>
    public static Problem ExitedInSession(Container container, ContainerExit exit) => new(
        ProblemCatalog.AppSessionFailed,
        $"The app's container {container.Name} {exit.Describe()} when its page was opened.",
        SeeJournal);

    public static Problem Unhealthy(Container container, StopReason.Unhealthy reason) => new(
        ProblemCatalog.AppUnhealthy,
        $"The app's container {container.Name} failed {reason.Failures} liveness probes in a row: {reason.LastError}.",
        SeeJournal);
}
