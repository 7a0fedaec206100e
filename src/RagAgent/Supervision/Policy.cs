using RagAgent.Common;

namespace RagAgent.Supervision;

/// <summary>The numbers that the decisions are made with.</summary>
internal sealed record Policy
{
    /// <summary>Most answers need less, and an update that waits for the slowest one keeps everybody else waiting.</summary>
    public static readonly TimeSpan MaxFinish = TimeSpan.FromSeconds(5);

    /// <summary>Of everything in the configuration that shapes the container.</summary>
    public required string ConfigFingerprint { get; init; }

    public TimeSpan StartupInterval { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan StartupDeadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether anything is asked of a container after its startup probe and before visitors reach it.</summary>
    public bool HasGate { get; init; } = true;

    public TimeSpan LivenessInterval { get; init; } = TimeSpan.FromSeconds(15);
    public int LivenessFailures { get; init; } = 4;

    public Backoff Restart { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));

    /// <summary>A run this long forgets the crashes before it.</summary>
    public TimeSpan RestartResetAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Crashes in a row from which on the app is called crash-looping.</summary>
    public int CrashLoopThreshold { get; init; } = 5;

    /// <summary>How what the agent needs from outside (AWS, the registry, the engine) is asked again.</summary>
    public Backoff Retry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>A failed pull is dear: beyond the first tries it waits longer.</summary>
    public Backoff PullRetry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    /// <summary>Failed look-ups of the tag after which the image already on disk is started instead.</summary>
    public int StaleAfterFailures { get; init; } = 3;

    /// <summary>How often the tag is looked up after boot; null: only when asked.</summary>
    public TimeSpan? CheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A newer image that was found by itself waits until no session is open.</summary>
    public bool WaitForIdle { get; init; } = true;

    /// <summary>How long a new image must serve well before it counts as good.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A new release may be started beside the one that serves: they share nothing that both would write to.</summary>
    public bool StartFirst { get; init; }

    /// <summary>At boot the last good image is started without waiting for the newest one.</summary>
    public bool BootFromCache { get; init; }

    /// <summary>How long what visitors have under way with a replaced container is waited for.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long requests that a container has are left to it before it is stopped with nothing in its place.</summary>
    public TimeSpan FinishTimeout { get; init; } = MaxFinish;

    /// <summary>How long a restart waits for the secrets to be read again before it takes those in memory.</summary>
    public TimeSpan FreshSecretsTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When the instance is stopped; null: never.</summary>
    public IdlePolicy? Idle { get; init; }

    /// <summary>How often the engine is inspected though no event asked for it.</summary>
    public TimeSpan InspectInterval { get; init; } = TimeSpan.FromMinutes(1);
}
