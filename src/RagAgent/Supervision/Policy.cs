using RagAgent.Common;

namespace RagAgent.Supervision;

/// <summary>The limits and delays that the rules decide with.</summary>
internal sealed record Policy
{
    /// <summary>Most requests finish sooner. A longer wait for the slowest one would keep everyone else waiting.</summary>
    public static readonly TimeSpan MaxFinish = TimeSpan.FromSeconds(5);

    /// <summary>The fingerprint of everything in the configuration that shapes the container.</summary>
    public required string ConfigFingerprint { get; init; }

    public TimeSpan StartupInterval { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan StartupDeadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>When a container that has not answered is looked at for the ports that it listens on.</summary>
    public TimeSpan PortsAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a container must pass a gate after its startup probe.</summary>
    public bool HasGate { get; init; } = true;

    /// <summary>Whether the gate runs a session of the app.</summary>
    public bool GateRunsSession { get; init; } = true;

    /// <summary>How long that session may take.</summary>
    public TimeSpan GateTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Delays between sessions that fail while nothing else can run. Something outside may be repaired meanwhile.</summary>
    public Backoff SessionRetry { get; init; } = new(TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5));

    public TimeSpan LivenessInterval { get; init; } = TimeSpan.FromSeconds(15);
    public int LivenessFailures { get; init; } = 4;

    public Backoff Restart { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));

    /// <summary>A run of this length clears the crash count.</summary>
    public TimeSpan RestartResetAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>From this many crashes in a row the app counts as crash-looping.</summary>
    public int CrashLoopThreshold { get; init; } = 5;

    /// <summary>Delays between tries of AWS, the registry and the engine.</summary>
    public Backoff Retry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>Delays between pulls. A failed pull is expensive, so they grow longer.</summary>
    public Backoff PullRetry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));

    /// <summary>After this many failed tries to resolve the tag or fetch its image, an image on disk is started instead.</summary>
    public int StaleAfterFailures { get; init; } = 3;

    /// <summary>So long after the agent's start an image on disk is started although the tag's look-up has neither succeeded nor failed
    /// that often: a network that swallows everything keeps each try waiting for its timeout.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How often the tag is resolved after boot; null: only on request, and while nothing serves.</summary>
    public TimeSpan? CheckInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often it is resolved at least while nothing serves: the next push may be what everyone waits for.</summary>
    public TimeSpan CheckIntervalWhileDown { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A newer image that the agent found on its own waits until no session is in use.</summary>
    public bool WaitForIdle { get; init; } = true;

    /// <summary>How long it waits.</summary>
    public TimeSpan WaitAtMost { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A session that nobody has used for so long is not in use.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The shortest interval between two reports that sessions are used.</summary>
    public TimeSpan SessionReportInterval => TimeSpan.FromTicks(Math.Clamp(
        IdleAfter.Ticks / 60, TimeSpan.TicksPerSecond / 10, 10 * TimeSpan.TicksPerSecond));

    /// <summary>From the last reported activity of a session until it is no longer in use.</summary>
    public TimeSpan SessionUseLasts => IdleAfter + SessionReportInterval;

    /// <summary>How long after the agent's start the pages that it had cut off may take to connect again.</summary>
    public TimeSpan SessionsReturnWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a new image must serve without failures before it counts as good.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A new release may start while the old one serves: they share nothing that both would write to.</summary>
    public bool StartFirst { get; init; }

    /// <summary>At boot the last good image starts without waiting for the newest one.</summary>
    public bool BootFromCache { get; init; }

    /// <summary>How long a replaced container may finish its requests and sessions.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a container may finish its requests before it is stopped with no other in its place.</summary>
    public TimeSpan FinishTimeout { get; init; } = MaxFinish;

    /// <summary>How long a restart waits for fresh secrets before it uses those in memory.</summary>
    public TimeSpan FreshSecretsTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When the instance stops itself; null: never.</summary>
    public IdlePolicy? Idle { get; init; }

    /// <summary>How often the engine is inspected when no event calls for it.</summary>
    public TimeSpan InspectInterval { get; init; } = TimeSpan.FromMinutes(1);
}
