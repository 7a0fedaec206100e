using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>All that the agent knows and has under way at one moment. A value: printable, comparable, replayable.</summary>
internal sealed record AgentState
{
    public Moment Now { get; init; }
    public App App { get; init; } = new App.Unseen();

    /// <summary>Crashes in a row; a long quiet run forgets them.</summary>
    public int Crashes { get; init; }

    /// <summary>The last failure of the container, kept for people until a later run has proven itself.</summary>
    public Failure? LastFailure { get; init; }

    /// <summary>What the engine holds of ours; the value is the inventory last seen.</summary>
    public Tracked<Inventory> Engine { get; init; } = Tracked<Inventory>.Never;

    /// <summary>The engine answered when it was last asked: what it says and does can be built on.</summary>
    public bool EngineAnswers => Engine.Value is not null && Engine.Failures == 0;

    public Tracked<SecretVersions> Secrets { get; init; } = Tracked<SecretVersions>.Never;
    public Tracked<Resolution> Tag { get; init; } = Tracked<Resolution>.Never;
    public Tracked<ImageOnDisk> Image { get; init; } = Tracked<ImageOnDisk>.Never;

    /// <summary>Of the pull that is under way; null when none is or its sizes are not known yet.</summary>
    public PullProgress? Progress { get; init; }

    /// <summary>Of the last container that was seen or started: what serves when the registry is out of reach.</summary>
    public ImageName? LastImage { get; init; }

    /// <summary>When the tag is looked up again by itself; null: only when asked.</summary>
    public Moment? NextCheck { get; init; }

    public Update? Update { get; init; }
    public UpdateOutcome? LastUpdate { get; init; }

    /// <summary>Whether visitors can come in.</summary>
    public Door Door { get; init; } = new(IsOpen: false, null);

    /// <summary>Sessions that visitors hold open.</summary>
    public int Sessions { get; init; }

    /// <summary>Numbers operations, probes and updates, so that late news of an earlier one is told apart.</summary>
    public long Counter { get; init; }

    /// <summary>Feeds the jitter. Part of the state, so that a history replays to the same delays.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>The engine's containers that carry this agent's label.</summary>
/// <param name="Containers">In no order.</param>
/// <param name="EngineVersion">For people.</param>
internal sealed record Inventory(ImmutableArray<Container> Containers, string EngineVersion)
{
    public bool Equals(Inventory? other) =>
        other is not null && EngineVersion == other.EngineVersion && Containers.SequenceEqual(other.Containers);

    public override int GetHashCode() => HashCode.Combine(Containers.Length, EngineVersion);
}

/// <param name="IsOpen">The front door listens.</param>
/// <param name="Problem">Why it does not, once it was tried.</param>
internal sealed record Door(bool IsOpen, Problem? Problem);

/// <summary>One failure of the container.</summary>
/// <param name="At">When the agent learned of it.</param>
/// <param name="ReleaseId">Of the release that failed; null when it is unknown.</param>
/// <param name="Problem">In an operator's words.</param>
/// <param name="LastLines">The end of its output.</param>
internal sealed record Failure(Moment At, string? ReleaseId, Problem Problem, IReadOnlyList<string> LastLines);

/// <summary>A check for a newer release that somebody waits for.</summary>
/// <param name="Id">Counts up; a later request joins the one that is under way.</param>
/// <param name="AskedAt">Only what is learned after this counts.</param>
/// <param name="From">The release that served when it was asked; null when none did.</param>
internal sealed record Update(long Id, Moment AskedAt, string? From);

/// <param name="Id">The newest request that this answers.</param>
/// <param name="Changed">Another release serves than before.</param>
/// <param name="Digest">What serves; null when the update failed.</param>
/// <param name="Problem">Why it failed; null when it did not. The agent goes on trying.</param>
internal sealed record UpdateOutcome(long Id, bool Changed, string? Digest, Problem? Problem);
