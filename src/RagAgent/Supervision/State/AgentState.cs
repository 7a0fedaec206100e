using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>Everything the agent knows and has in progress at one moment. A value: it can be printed, compared and replayed.</summary>
internal sealed record AgentState
{
    public Moment Now { get; init; }

    /// <summary>The slot whose container receives requests, or will.</summary>
    public ContainerState Front { get; init; } = new ContainerState.Unknown();

    /// <summary>The second slot: a candidate, a draining container or a stray; null when it is empty.</summary>
    public ContainerState? Candidate { get; init; }

    public ImageHistory Images { get; init; } = new();

    public AttributionEvidence Evidence { get; init; } = new();

    public PullState Pull { get; init; } = PullState.None;

    public RequestState Requests { get; init; } = new();

    public FailureHistory Failures { get; init; } = new();

    /// <summary>The inspection of the engine. The value is the last inventory.</summary>
    public Fetched<Inventory> Engine { get; init; } = Fetched<Inventory>.Wanted;

    /// <summary>The last inspection succeeded.</summary>
    public bool EngineIsReachable => Engine.Value is not null && Engine.Failures == 0;

    public Fetched<SecretVersions> Secrets { get; init; } = Fetched<SecretVersions>.Wanted;
    public Fetched<Resolution> Tag { get; init; } = Fetched<Resolution>.Wanted;
    public Fetched<FetchedImage> Image { get; init; } = Fetched<FetchedImage>.Wanted;

    /// <summary>The write of the state file. The value is what was written last.</summary>
    public Fetched<PersistedState> Saved { get; init; } = Fetched<PersistedState>.Idle;

    /// <summary>Why the app stays stopped; null: it does not.</summary>
    public StopHold? Hold { get; init; }

    /// <summary>When the hold began; null when an earlier agent process began it.</summary>
    public Moment? HeldAt { get; init; }

    /// <summary>There was no usable state file, and no inspection yet: the containers' labels will tell what can still be known.</summary>
    public bool HasNoHistory { get; init; } = true;

    /// <summary>When the app last stopped serving; null while it serves, and until it has served once since the agent started.</summary>
    public Moment? LastServed { get; init; }

    /// <summary>When the tag is looked up again; null: only on request, or it is being looked up.</summary>
    public Moment? NextCheck { get; init; }

    /// <summary>Whether the front door listens.</summary>
    public FrontDoorState FrontDoor { get; init; } = new(IsOpen: false, null);

    public OpenSessions Sessions { get; init; } = OpenSessions.None;

    /// <summary>Since when a newer release waits until no session is in use; null: none does.</summary>
    public Moment? UpdateWaitsSince { get; init; }

    /// <summary>When the instance was last used. Matters only if the policy lets it stop itself.</summary>
    public IdleState Idle { get; init; } = new(Moment.Zero);

    /// <summary>The stop of the instance. The value is set once EC2 has accepted it.</summary>
    public Fetched<StopAccepted> InstanceStop { get; init; } = Fetched<StopAccepted>.Idle;

    /// <summary>The last number given to an operation, a probe or a request.</summary>
    public long LastOperation { get; init; }

    /// <summary>The seed of the jitter.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The state of an agent that starts.</summary>
    /// <param name="memory">The content of the state file; null when there is none or it can't be read.</param>
    /// <param name="seed">The seed of the jitter.</param>
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
            UpdateWaitsSince = memory.UpdateWaitsSince,
            Evidence = new() { Runs = memory.Runs },
            Saved = Fetched<PersistedState>.Idle with { Value = memory },
        };

    /// <summary>What the state file must hold.</summary>
    public PersistedState ToPersist() => new(Images.KnownGood, Images.Verdict, Hold, Evidence.Runs, UpdateWaitsSince);

    public ContainerState? At(Slot slot) => slot == Slot.Front ? Front : Candidate;

    /// <param name="slot">The slot to change.</param>
    /// <param name="container">Its new state; null empties the slot.</param>
    public AgentState With(Slot slot, ContainerState? container) => slot == Slot.Front
        ? this with { Front = container ?? new ContainerState.Absent() }
        : this with { Candidate = container };

    public bool IsDefective(ImageName image) => Images.Defects.Any(defect => defect.Image == image);

    /// <summary>The image is on disk but broken. It must be removed before it is fetched again.</summary>
    public bool IsCorrupt(ImageName image) => Images.Defects.Any(defect => defect.Image == image && defect.IsCorrupt);

    public AgentState WithVerdict(Verdict? verdict) => this with { Images = Images with { Verdict = verdict } };

    /// <summary>Asks for a fresh inspection of the engine.</summary>
    public AgentState RefreshEngine() => this with { Engine = Engine.Refresh() };

    /// <summary>The same, but an engine that does not answer is asked again after its backoff, not at once.</summary>
    public AgentState RefreshEngineUnlessFailing() => Engine.Failures == 0 ? RefreshEngine() : this;

    /// <summary>Adds or replaces the image's defect. The newest eight are kept.</summary>
    public AgentState WithDefect(ImageDefect defect)
    {
        var others = Images.Defects.Where(other => other.Image != defect.Image).TakeLast(7);
        return this with { Images = Images with { Defects = [.. others, defect] } };
    }

    public AgentState WithoutDefect(string digest)
    {
        var defects = Images.Defects.RemoveAll(defect => defect.Image.Digest == digest);
        return this with { Images = Images with { Defects = defects } };
    }

    /// <summary>The slot whose operation has this number; null: neither, the operation is over.</summary>
    public Slot? SlotOfOperation(long operation)
    {
        if (OperationOf(Front) == operation)
        {
            return Slot.Front;
        }
        return OperationOf(Candidate) == operation ? Slot.Candidate : null;
    }

    private static long? OperationOf(ContainerState? slot) => slot switch
    {
        ContainerState.Starting starting => starting.Operation,
        ContainerState.Stopping stopping => stopping.Operation,
        ContainerState.Draining draining => draining.Operation,
        _ => null,
    };
}
