using System.Collections.Immutable;
using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>All that the agent knows and has under way at one moment. A value: printable, comparable, replayable.</summary>
internal sealed record AgentState
{
    public Moment Now { get; init; }

    /// <summary>The container in front: the one that visitors are brought to, or will be.</summary>
    public ContainerState Front { get; init; } = new ContainerState.Unknown();

    /// <summary>The second container, while there is one: a candidate, one that drains, or a stray.</summary>
    public ContainerState? Candidate { get; init; }

    public ImageHistory Images { get; init; } = new();

    public Evidence Evidence { get; init; } = new();

    public PullState Pull { get; init; } = PullState.None;

    public RequestState Requests { get; init; } = new();

    public FailureHistory Failures { get; init; } = new();

    /// <summary>What the engine holds of ours; the value is the inventory last seen.</summary>
    public Fetched<Inventory> Engine { get; init; } = Fetched<Inventory>.Wanted;

    /// <summary>The engine answered when it was last asked: what it says and does can be built on.</summary>
    public bool EngineIsReachable => Engine.Value is not null && Engine.Failures == 0;

    public Fetched<SecretVersions> Secrets { get; init; } = Fetched<SecretVersions>.Wanted;
    public Fetched<Resolution> Tag { get; init; } = Fetched<Resolution>.Wanted;
    public Fetched<FetchedImage> Image { get; init; } = Fetched<FetchedImage>.Wanted;

    /// <summary>The state file; the value is what was written last.</summary>
    public Fetched<PersistedState> Saved { get; init; } = Fetched<PersistedState>.Idle;

    /// <summary>Why the app is to stay stopped; null: it is not.</summary>
    public Hold? Hold { get; init; }

    /// <summary>When the hold began; null when it comes from an earlier life.</summary>
    public Moment? HeldAt { get; init; }

    /// <summary>Nothing is remembered of an earlier life: what can be known of it stands on the containers' labels.</summary>
    public bool HasNoHistory { get; init; } = true;

    /// <summary>When the app last ceased to serve; null while it serves, and before it first did in this life of the agent.</summary>
    public Moment? LastServed { get; init; }

    /// <summary>When the tag is looked up again by itself; null: only when asked.</summary>
    public Moment? NextCheck { get; init; }

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
            Images = new()
            {
                KnownGood = memory.KnownGood,
                Verdict = memory.Verdict,
            },
            Hold = memory.Hold,
            Evidence = new() { Runs = memory.Runs },
            Saved = Fetched<PersistedState>.Idle with { Value = memory },
        };

    /// <summary>What of this outlives the process.</summary>
    public PersistedState ToPersist() => new(Images.KnownGood, Images.Verdict, Hold, Evidence.Runs);

    public ContainerState? At(Slot slot) => slot == Slot.Front ? Front : Candidate;

    /// <param name="slot">The place.</param>
    /// <param name="app">Null: nothing is there.</param>
    public AgentState With(Slot slot, ContainerState? app) => slot == Slot.Front ? this with { Front = app ?? new ContainerState.Absent() } : this with { Candidate = app };

    public bool IsDefective(ImageName image) => Images.Defects.Any(defect => defect.Image == image);

    /// <summary>It is there, and broken: fetching it again means removing it first.</summary>
    public bool IsCorrupt(ImageName image) => Images.Defects.Any(defect => defect.Image == image && defect.IsCorrupt);

    public AgentState WithDefect(Defect defect) => this with { Images = Images with { Defects = [.. Images.Defects.Where(other => other.Image != defect.Image).TakeLast(7), defect] } };

    public AgentState WithoutDefect(string digest) => this with { Images = Images with { Defects = Images.Defects.RemoveAll(defect => defect.Image.Digest == digest) } };

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
