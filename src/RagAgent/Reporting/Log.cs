using RagAgent.Common;

namespace RagAgent.Reporting;

/// <summary>Changes of the supervision's state: ids 100-199.</summary>
internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Information, "Docker Engine {Version} answers.", EventName = "EngineAnswers")]
    public static partial void EngineAnswers(this ILogger logger, string version);

    [LoggerMessage(101, LogLevel.Information, "Read the secrets: {Versions}.", EventName = "SecretsRead")]
    public static partial void SecretsRead(this ILogger logger, string versions);

    [LoggerMessage(102, LogLevel.Warning, "{Warning}", EventName = "SecretsWarning")]
    public static partial void SecretsWarning(this ILogger logger, string warning);

    [LoggerMessage(103, LogLevel.Information, "{Reference} is now {Digest}.", EventName = "TagResolved")]
    public static partial void TagResolved(this ILogger logger, string reference, string digest);

    [LoggerMessage(104, LogLevel.Information, "Pulling {Reference}: {Size} to download.", EventName = "PullBegins")]
    public static partial void PullBegins(this ILogger logger, string reference, string size);

    [LoggerMessage(105, LogLevel.Information, "Pulling {Reference}: {Percent} %.", EventName = "PullProgressed")]
    public static partial void PullProgressed(this ILogger logger, string reference, int percent);

    [LoggerMessage(106, LogLevel.Information, "Pulled image {Digest}: {Size} in {Took}.", EventName = "ImagePulled")]
    public static partial void ImagePulled(this ILogger logger, string digest, string size, string took);

    [LoggerMessage(107, LogLevel.Information, "Image {Digest} is already on disk; nothing to pull.", EventName = "ImageThere")]
    public static partial void ImageThere(this ILogger logger, string digest);

    [LoggerMessage(110, LogLevel.Information, "Starting the container: release {Release}, image {Digest}.",
        EventName = "ContainerStarting")]
    public static partial void ContainerStarting(this ILogger logger, string release, string digest);

    [LoggerMessage(111, LogLevel.Warning, "Starting the container from the image on disk, {Digest}: {Why}.",
        EventName = "ContainerStartingStale")]
    public static partial void ContainerStartingStale(this ILogger logger, string digest, string why);

    [LoggerMessage(112, LogLevel.Information, "Container {Container} is running; waiting for it to become healthy.",
        EventName = "ContainerRuns")]
    public static partial void ContainerRuns(this ILogger logger, string container);

    [LoggerMessage(113, LogLevel.Information, "Adopted container {Container}, which was already running: release {Release}.",
        EventName = "ContainerAdopted")]
    public static partial void ContainerAdopted(this ILogger logger, string container, string release);

    [LoggerMessage(114, LogLevel.Information, "Container {Container} serves: release {Release}, image {Digest}, healthy after {Took}.",
        EventName = "ContainerServes")]
    public static partial void ContainerServes(this ILogger logger, string container, string release, string digest, string took);

    [LoggerMessage(115, LogLevel.Warning, "Container {Container} failed a liveness probe: {Fault}.{Patience}",
        EventName = "LivenessFailed")]
    public static partial void LivenessFailed(this ILogger logger, string container, string fault, string patience);

    [LoggerMessage(116, LogLevel.Information, "Container {Container} is healthy again.", EventName = "LivenessRecovered")]
    public static partial void LivenessRecovered(this ILogger logger, string container);

    [LoggerMessage(117, LogLevel.Information, "Stopping container {Container}: {Reason}.", EventName = "ContainerStopping")]
    public static partial void ContainerStopping(this ILogger logger, string container, string reason);

    [LoggerMessage(128, LogLevel.Warning, "{Problem}", EventName = "WrongPort")]
    public static partial void WrongPort(this ILogger logger, Problem problem);

    [LoggerMessage(118, LogLevel.Warning, "{Problem}{Next}", EventName = "ContainerFailed")]
    public static partial void ContainerFailed(this ILogger logger, Problem problem, string next);

    [LoggerMessage(119, LogLevel.Error, "{Problem} That was crash {Crashes} in a row: the app is crash-looping.{Next}",
        EventName = "CrashLooping")]
    public static partial void CrashLooping(this ILogger logger, Problem problem, int crashes, string next);

    [LoggerMessage(120, LogLevel.Error, "{Problem} That was failed start {Failures} in a row.{Next}", EventName = "StartsFail")]
    public static partial void StartsFail(this ILogger logger, Problem problem, int failures, string next);

    [LoggerMessage(121, LogLevel.Information,
        "A newer release is ready and waits until no session is in use ({InUse} of {Sessions} now), for {Limit} at most.",
        EventName = "UpdateWaits")]
    public static partial void UpdateWaits(this ILogger logger, int inUse, int sessions, string limit);

    [LoggerMessage(129, LogLevel.Information,
        "The newer release has waited for {Limit} and takes over now, although {InUse} of {Sessions} sessions are in use.",
        EventName = "UpdateWaitedEnough")]
    public static partial void UpdateWaitedEnough(this ILogger logger, string limit, int inUse, int sessions);

    [LoggerMessage(122, LogLevel.Information, "An operator requested '{Command}'.", EventName = "Asked")]
    public static partial void Asked(this ILogger logger, string command);

    [LoggerMessage(123, LogLevel.Information, "'{Command}' is done: {Digest} serves.", EventName = "RequestDone")]
    public static partial void RequestDone(this ILogger logger, string command, string digest);

    [LoggerMessage(124, LogLevel.Information, "'{Command}' changed nothing: {Digest} serves.", EventName = "NothingChanged")]
    public static partial void NothingChanged(this ILogger logger, string command, string digest);

    [LoggerMessage(125, LogLevel.Error, "'{Command}' failed. {Problem}", EventName = "RequestFailed")]
    public static partial void RequestFailed(this ILogger logger, string command, Problem problem);

    [LoggerMessage(126, LogLevel.Information, "The app is stopped until 'ragagent start' or the next boot.", EventName = "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(127, LogLevel.Warning, "The app was stopped with 'docker stop' and stays stopped until 'ragagent start' or the next boot.",
        EventName = "StoppedByHand")]
    public static partial void StoppedByHand(this ILogger logger);

    [LoggerMessage(130, LogLevel.Warning, "{Problem}", EventName = "WentWrong")]
    public static partial void WentWrong(this ILogger logger, Problem problem);

    [LoggerMessage(131, LogLevel.Information, "{What} after {Failures} failed {Tries}.", EventName = "Recovered")]
    public static partial void Recovered(this ILogger logger, string what, int failures, string tries);

    [LoggerMessage(132, LogLevel.Error, "{Problem}", EventName = "DoorIsClosed")]
    public static partial void DoorIsClosed(this ILogger logger, Problem problem);

    [LoggerMessage(133, LogLevel.Warning, "The agent exits before the engine has started the container; the next agent finishes it.",
        EventName = "StartCut")]
    public static partial void StartCut(this ILogger logger);

    [LoggerMessage(140, LogLevel.Information, "Starting a candidate next to the serving container: release {Release}, image {Digest}.",
        EventName = "CandidateStarting")]
    public static partial void CandidateStarting(this ILogger logger, string release, string digest);

    [LoggerMessage(141, LogLevel.Information, "Candidate {Container} is running; waiting for it to become healthy.",
        EventName = "CandidateRuns")]
    public static partial void CandidateRuns(this ILogger logger, string container);

    [LoggerMessage(142, LogLevel.Information, "Container {Container} has replaced {Old}: image {Digest} serves.", EventName = "Swapped")]
    public static partial void Swapped(this ILogger logger, string container, string old, string digest);

    [LoggerMessage(143, LogLevel.Warning, "Container {Container} still had {Left} open requests or sessions after {Patience}; closing them.",
        EventName = "DrainedLate")]
    public static partial void DrainedLate(this ILogger logger, string container, int left, string patience);

    [LoggerMessage(144, LogLevel.Information, "Image {Digest} is now the last good image.", EventName = "IsGood")]
    public static partial void IsGood(this ILogger logger, string digest);

    [LoggerMessage(145, LogLevel.Error, "Image {Digest} was rolled back. {Why} The last good image runs instead: {Good}.",
        EventName = "RolledBack")]
    public static partial void RolledBack(this ILogger logger, string digest, string why, string good);

    [LoggerMessage(146, LogLevel.Warning, "Image {Digest} is quarantined because the one before it works. It does not run until the tag moves or 'ragagent unquarantine'.",
        EventName = "Quarantined")]
    public static partial void Quarantined(this ILogger logger, string digest);

    [LoggerMessage(147, LogLevel.Error, "The last good image failed, too, so image {Digest} may not be to blame. Check what both need: configuration, secrets, machine.",
        EventName = "Undecided")]
    public static partial void Undecided(this ILogger logger, string digest);

    [LoggerMessage(148, LogLevel.Information, "Image {Digest} gets another chance.", EventName = "TriedAgain")]
    public static partial void TriedAgain(this ILogger logger, string digest);

    [LoggerMessage(149, LogLevel.Information, "Image {Digest} is no longer set aside.", EventName = "Released")]
    public static partial void Released(this ILogger logger, string digest);

    [LoggerMessage(150, LogLevel.Information, "Removed {Removed} old images and freed {Freed}.", EventName = "ImagesRemoved")]
    public static partial void ImagesRemoved(this ILogger logger, int removed, string freed);

    [LoggerMessage(151, LogLevel.Warning, "Can't remove old images. {Problem}", EventName = "ImagesStay")]
    public static partial void ImagesStay(this ILogger logger, Problem problem);

    [LoggerMessage(152, LogLevel.Warning, "Can't send a probe, which says nothing about the app: {Fault}.",
        EventName = "CouldNotAsk")]
    public static partial void CouldNotAsk(this ILogger logger, string fault);

    [LoggerMessage(153, LogLevel.Information, "Image {Digest} was rolled back by an operator. The last good image runs instead: {Good}.",
        EventName = "RolledBackAsAsked")]
    public static partial void RolledBackAsAsked(this ILogger logger, string digest, string good);

    [LoggerMessage(154, LogLevel.Information, "Removing container {Container}: it has exited, and another one is running.",
        EventName = "LeftOverRemoved")]
    public static partial void LeftOverRemoved(this ILogger logger, string container);

    [LoggerMessage(155, LogLevel.Error, "{Problem}", EventName = "SessionFailed")]
    public static partial void SessionFailed(this ILogger logger, Problem problem);

    [LoggerMessage(156, LogLevel.Warning, "{Problem} The image has served well before, so visitors get it anyway.",
        EventName = "ServesDespiteFailedSession")]
    public static partial void ServesDespiteFailedSession(this ILogger logger, Problem problem);

    [LoggerMessage(157, LogLevel.Information,
        "Container {Container} does not speak Streamlit's protocol: only its handshake was checked.",
        EventName = "SessionUnreadable")]
    public static partial void SessionUnreadable(this ILogger logger, string container);

    [LoggerMessage(170, LogLevel.Information, "No one has used the app for {Quiet}: the instance stops in {Notice} unless someone uses it.",
        EventName = "NobodyComes")]
    public static partial void NobodyComes(this ILogger logger, string quiet, string notice);

    [LoggerMessage(171, LogLevel.Information, "The app is in use again: the instance keeps running for now.", EventName = "SomebodyCame")]
    public static partial void SomebodyCame(this ILogger logger);

    [LoggerMessage(172, LogLevel.Warning, "The instance reaches idle.maxUptime ({Limit}): it stops in {Notice}, even if the app is in use.",
        EventName = "UpForTooLong")]
    public static partial void UpForTooLong(this ILogger logger, string limit, string notice);

    [LoggerMessage(173, LogLevel.Information, "EC2 is stopping the instance {Instance}.", EventName = "InstanceStops")]
    public static partial void InstanceStops(this ILogger logger, string instance);
}
