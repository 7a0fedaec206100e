using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The container's own failures, in an operator's words.</summary>
internal static class ContainerProblems
{
    public const string SeeJournal = "Its output is in the journal.";

    public static Problem Exited(Container container, ContainerExit exit) => new(
        exit switch { { OutOfMemory: true } => ProblemCatalog.AppOutOfMemory, { Code: 97 } => ProblemCatalog.SecretsNotDelivered, _ => ProblemCatalog.AppExited },
        $"The app's container {container.Name} {exit.Describe()}.",
        exit switch
        {
            { OutOfMemory: true } => "Give it more with container.memory, or take a larger instance.",
            { Code: 97 } => "It was started without the agent, which alone hands over its secrets.",
            { Code: 134 or 136 or 139 } => "It crashed inside native code. " + SeeJournal,
            { Code: 126 or 127 } => "Its command can't be run: check the image's ENTRYPOINT and CMD.",
            _ => SeeJournal,
        });

    public static Problem EndedWithEngine(Container container, ContainerExit exit) => new(
        ProblemCatalog.AppEndedWithEngine,
        $"The app's container {container.Name} {exit.Describe()} while Docker Engine itself was away.",
        "\"live-restore\": true in /etc/docker/daemon.json lets containers live through a restart of the engine.");

    /// <summary>All that is known of it comes from a label.</summary>
    public static Problem FailedBefore(ImageName image) => new(
        ProblemCatalog.ImageFailedBefore,
        $"The image {Humanize.Digest(image.Digest)} was set aside by an earlier life of the agent, whose notes are lost.",
        "Push a better one, or give it another chance with 'ragagent unquarantine'.");

    /// <summary>The engine took it down with itself.</summary>
    public static bool IsEngineRestart(Problem problem) => problem.Kind == ProblemCatalog.AppEndedWithEngine;

    /// <summary>How much a failure counts against the image on trial; 0: it can't be its fault.</summary>
    public static int Weight(Problem problem) => problem.Kind.ImageBlame;

    /// <summary>The failure that a container is stopped for; null when it is stopped for another reason.</summary>
    public static Problem? OfStop(ContainerState.Stopping stopping) => stopping.Reason switch
    {
        StopReason.Unhealthy u => Unhealthy(stopping.Container, u),
        StopReason.NeverHealthy n => NeverHealthy(stopping.Container, n),
        _ => null,
    };

    public static Problem Removed(Container container) => new(
        ProblemCatalog.ContainerRemoved,
        $"The app's container {container.Name} was removed by someone else.",
        "It is created again.");

    public static Problem NeverHealthy(Container container, StopReason.NeverHealthy reason) => new(
        ProblemCatalog.AppNeverHealthy,
        $"The app's container {container.Name} was not well within {Humanize.Duration(reason.Deadline)} of its start" +
        (reason.LastError is { } fault ? $": {fault}." : "."),
        (reason.LastError?.Contains("answered 404", StringComparison.Ordinal) == true
            ? "It listens and has no such page: correct health.startup.path, and think of listen.basePath. "
            : "Check that it listens on container.port, and raise health.startup.deadline if it needs longer. ") + SeeJournal);

    public static Problem Unhealthy(Container container, StopReason.Unhealthy reason) => new(
        ProblemCatalog.AppUnhealthy,
        $"The app's container {container.Name} failed {reason.Failures} liveness probes in a row: {reason.LastError}.",
        SeeJournal);
}
