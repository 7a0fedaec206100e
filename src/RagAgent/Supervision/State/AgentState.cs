using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.Rules;

namespace RagAgent.Supervision.State;

/// <summary>All that the agent knows and has under way at one moment. A value: printable, comparable, replayable.</summary>
internal sealed record AgentState
{
    public Moment Now { get; init; }

    /// <summary>The container in front: the one that visitors are brought to, or will be.</summary>
    public ContainerState Front { get; init; } = new ContainerState.Unknown();

    /// <summary>The second container, while there is one: a candidate, one that drains, or a stray.</summary>
    public ContainerState? Candidate { get; init; }

    /// <summary>Crashes in a row; a long quiet run forgets them.</summary>
    public int Crashes { get; init; }

    /// <summary>Failures in a row of the candidate beside the front.</summary>
    public int CandidateFailures { get; init; }

    /// <summary>The last failure of a container, kept for people until a later run has proven itself.</summary>
    public Failure? LastFailure { get; init; }

    /// <summary>What the engine holds of ours; the value is the inventory last seen.</summary>
    public Fetched<Inventory> Engine { get; init; } = Fetched<Inventory>.Wanted;

    /// <summary>The engine answered when it was last asked: what it says and does can be built on.</summary>
    public bool EngineIsReachable => Engine.Value is not null && Engine.Failures == 0;

    public Fetched<SecretVersions> Secrets { get; init; } = Fetched<SecretVersions>.Wanted;
    public Fetched<Resolution> Tag { get; init; } = Fetched<Resolution>.Wanted;
    public Fetched<FetchedImage> Image { get; init; } = Fetched<FetchedImage>.Wanted;

    /// <summary>The image to go back to, when it has to be fetched because somebody removed it.</summary>
    public Fetched<ImageName> Fallback { get; init; } = Fetched<ImageName>.Idle;

    /// <summary>The removal of old images.</summary>
    public Fetched<ImageCleanupResult> Cleanup { get; init; } = Fetched<ImageCleanupResult>.Idle;

    /// <summary>The state file; the value is what was written last.</summary>
    public Fetched<PersistedState> Saved { get; init; } = Fetched<PersistedState>.Idle;

    /// <summary>Images that have proven themselves, the newest first; at most two.</summary>
    public ImmutableArray<ImageName> KnownGood { get; init; } = [];

    /// <summary>What is known of the image that is newer than these.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Why the app is to stay stopped; null: it is not.</summary>
    public Hold? Hold { get; init; }

    /// <summary>When the hold began; null when it comes from an earlier life.</summary>
    public Moment? HeldAt { get; init; }

    /// <summary>Runs of containers that were the agent's own doing, the newest first; two at most, and one more that it is stopping.</summary>
    public ImmutableArray<Run> Runs { get; init; } = [];

    /// <summary>Nothing is remembered of an earlier life: what can be known of it stands on the containers' labels.</summary>
    public bool HasNoHistory { get; init; } = true;

    /// <summary>A container whose stop somebody has asked the engine for.</summary>
    public string? ExternalStop { get; init; }

    /// <summary>The last end of the container in front, as long as it may turn out to have been somebody else's doing.</summary>
    public ContainerEnd? LastEnd { get; init; }

    /// <summary>The last strike, as long as it may turn out to have been somebody else's doing.</summary>
    public Strike? LastStrike { get; init; }

    /// <summary>Stops in a row that the engine did not carry out, though it answers.</summary>
    public int FailedStops { get; init; }

    /// <summary>The engine went away since it was last looked at: what ended meanwhile may have ended by that.</summary>
    public bool EngineDisconnected { get; init; }

    /// <summary>Images that should be on disk and can't be started from there, until they are fetched again; the newest ones known, at most eight.</summary>
    public ImmutableArray<Defect> Defects { get; init; } = [];

    /// <summary>Of the pull that is under way; null when none is or its sizes are not known yet.</summary>
    public PullProgress? PullProgress { get; init; }

    /// <summary>How fast it goes; null while there is no <see cref="PullProgress"/>.</summary>
    public PullRate? PullRate { get; init; }

    /// <summary>When the app last ceased to serve; null while it serves, and before it first did in this life of the agent.</summary>
    public Moment? LastServed { get; init; }

    /// <summary>Of the last container that was seen or started: what serves when the registry is out of reach.</summary>
    public ImageName? LastImage { get; init; }

    /// <summary>When the tag is looked up again by itself; null: only when asked.</summary>
    public Moment? NextCheck { get; init; }

    /// <summary>What an operator waits for.</summary>
    public OperatorRequest? Request { get; init; }
    public RequestOutcome? LastOutcome { get; init; }

    /// <summary>Whether visitors can come in.</summary>
    public FrontDoorState FrontDoor { get; init; } = new(IsOpen: false, null);

    /// <summary>Sessions that visitors hold open.</summary>
    public int Sessions { get; init; }

    /// <summary>How the instance is used; of interest only when the policy lets it stop itself.</summary>
    public IdleState Idle { get; init; } = new(Moment.Zero);

    /// <summary>The stop of the whole instance; the value is there once EC2 has accepted it.</summary>
    public Fetched<StopAccepted> InstanceStop { get; init; } = Fetched<StopAccepted>.Idle;

    /// <summary>Numbers operations, probes and updates, so that late news of an earlier one is told apart.</summary>
    public long LastOperation { get; init; }

    /// <summary>Feeds the jitter. Part of the state, so that a history replays to the same delays.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The first state of a life.</summary>
    /// <param name="memory">Of the life before; null when there was none or it can't be read.</param>
    /// <param name="seed">For the jitter.</param>
    public static AgentState Begin(PersistedState? memory, ulong seed) => memory is null
        ? new AgentState { Seed = seed }
        : new AgentState
        {
            Seed = seed,
            HasNoHistory = false,
            KnownGood = memory.KnownGood,
            Verdict = memory.Verdict,
            Hold = memory.Hold,
            Runs = memory.Runs,
            Saved = Fetched<PersistedState>.Idle with { Value = memory },
        };

    /// <summary>What of this outlives the process.</summary>
    public PersistedState ToPersist() => new(KnownGood, Verdict, Hold, Runs);

    public ContainerState? At(Slot slot) => slot == Slot.Front ? Front : Candidate;

    /// <param name="slot">The place.</param>
    /// <param name="app">Null: nothing is there.</param>
    public AgentState With(Slot slot, ContainerState? app) => slot == Slot.Front ? this with { Front = app ?? new ContainerState.Absent() } : this with { Candidate = app };

    public bool IsDefective(ImageName image) => Defects.Any(defect => defect.Image == image);

    /// <summary>It is there, and broken: fetching it again means removing it first.</summary>
    public bool IsCorrupt(ImageName image) => Defects.Any(defect => defect.Image == image && defect.IsCorrupt);

    public AgentState WithDefect(Defect defect) => this with { Defects = [.. Defects.Where(other => other.Image != defect.Image).TakeLast(7), defect] };

    public AgentState WithoutDefect(string digest) => this with { Defects = Defects.RemoveAll(defect => defect.Image.Digest == digest) };

    /// <summary>The place whose operation has this number.</summary>
    public Slot? SlotOfOperation(long op)
    {
        static long? Op(ContainerState? app) => app switch { ContainerState.Starting s => s.Operation, ContainerState.Stopping s => s.Operation, ContainerState.Draining d => d.Operation, _ => null };
        return Op(Front) == op ? Slot.Front : Op(Candidate) == op ? Slot.Candidate : null;
    }
}

/// <summary>The engine's containers that carry this agent's label.</summary>
/// <param name="Containers">In no order.</param>
/// <param name="EngineVersion">For people.</param>
internal sealed record Inventory(ImmutableArray<Container> Containers, string EngineVersion)
{
    /// <summary>All images on disk as <c>repository@digest</c>; null when they were not asked for.</summary>
    public IReadOnlySet<string>? Images { get; init; }

    public bool Equals(Inventory? other) =>
        other is not null && EngineVersion == other.EngineVersion && Containers.SequenceEqual(other.Containers);

    public override int GetHashCode() => HashCode.Combine(Containers.Length, EngineVersion);
}

/// <param name="Image">The image.</param>
/// <param name="IsCorrupt">It is there, but broken; otherwise it is gone.</param>
internal sealed record Defect(ImageName Image, bool IsCorrupt);

/// <param name="IsOpen">The front door listens.</param>
/// <param name="Problem">Why it does not, once it was tried.</param>
internal sealed record FrontDoorState(bool IsOpen, Problem? Problem);

/// <summary>One failure of the container.</summary>
/// <param name="At">When the agent learned of it.</param>
/// <param name="ReleaseId">Of the release that failed; null when it is unknown.</param>
/// <param name="Problem">In an operator's words.</param>
/// <param name="Exit">How its process ended; null when it did not end by itself.</param>
internal sealed record Failure(Moment At, string? ReleaseId, Problem Problem, ContainerExit? Exit)
{
    /// <summary>The end of its output.</summary>
    public IReadOnlyList<string> LastLines => Exit?.LastLines ?? [];
}

internal enum RequestKind
{
    /// <summary>Look for something newer now and run it.</summary>
    Update,

    /// <summary>Set the newest image aside and run the one before it.</summary>
    Rollback,

    /// <summary>Give the image that was set aside another chance, and update.</summary>
    Unquarantine,

    /// <summary>Stop the app, and keep it stopped.</summary>
    Stop,

    /// <summary>Run the app again.</summary>
    Start,
}

/// <summary>What somebody waits for.</summary>
/// <param name="Id">Counts up; a later request joins or replaces the one that is under way.</param>
/// <param name="Kind">What is wanted.</param>
/// <param name="RequestedAt">Only what is learned after this counts.</param>
/// <param name="PreviousRelease">The release that served when it was asked; null when none did.</param>
internal sealed record OperatorRequest(long Id, RequestKind Kind, Moment RequestedAt, string? PreviousRelease);

/// <param name="Id">The newest request that this answers.</param>
/// <param name="Kind">What was wanted.</param>
/// <param name="Changed">Another release serves than before.</param>
/// <param name="Digest">What serves; null when it failed or the app is stopped.</param>
/// <param name="Problem">Why it failed; null when it did not. The agent goes on trying.</param>
internal sealed record RequestOutcome(long Id, RequestKind Kind, bool Changed, string? Digest, Problem? Problem);
