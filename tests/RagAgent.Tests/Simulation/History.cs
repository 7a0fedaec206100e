using CsCheck;
using RagAgent.Common;
using RagAgent.Supervision;

namespace RagAgent.Tests.Simulation;

/// <summary>What happens to the agent from outside.</summary>
internal enum Incident
{
    PushGood, PushNeverHealthy, PushCrashing, PushExiting, PushHanging, PushFailingGate, PushOutOfMemory, MoveTagBack,
    PushPageThatLacksModule, PushPageThatThrows, PushPageThatKillsApp, PagesFail,
    RotateSecret, RotateSecretToBad, OpenSessions, OpenUnreadableSession, UseSessions, CloseSessions,
    AskUpdate, AskRollback, AskUnquarantine, AskStop, AskStart,
    EngineDown, EngineRestart, RegistryDown, SecretsDown, PullFails, DiskFull, StartFails, StartFailsHalfway, StopFails, EverythingSlow,
    Pressure, ProberFails, StateUnwritable, StateLost, ImageBreaks,
    AgentCrash, AgentCrashWithNewConfig, Reboot,
    Visits, SteadyVisits, StopOfInstanceDenied,
    HumanStop, HumanKill, HumanRemove, HumanRestart, HumanStart, HumanPause, HumanRunsSecondContainer, HumanRemovesImage, HumanPrunes,
}

/// <param name="Delay">Since the one before.</param>
/// <param name="Incident">What happens.</param>
/// <param name="DurationSeconds">How long it lasts, where that means something.</param>
internal readonly record struct HistoryStep(TimeSpan Delay, Incident Incident, int DurationSeconds);

/// <summary>One random history: everything that is needed to live it again.</summary>
/// <param name="Seed">Feeds latencies, lost hints, doubled news, and how far an operation came that a crash cut.</param>
/// <param name="Policy">The agent's numbers.</param>
/// <param name="SecretsSurviveRestart">Delivered through the environment, not through memory.</param>
/// <param name="Steps">In order.</param>
internal sealed record History(uint Seed, Policy Policy, bool SecretsSurviveRestart, HistoryStep[] Steps)
{
    private static readonly Gen<TimeSpan> Delays = Gen.Frequency(
        (4, Gen.Int[0, 2_000].Select(ms => TimeSpan.FromMilliseconds(ms))),
        (4, Gen.Int[1, 40].Select(s => TimeSpan.FromSeconds(s))),
        (1, Gen.Int[1, 6].Select(m => TimeSpan.FromMinutes(m))));

    private static readonly Gen<HistoryStep> AnyStep =
        Gen.Select(Delays, Gen.Enum<Incident>(), Gen.Int[0, 90], (after, what, seconds) => new HistoryStep(after, what, seconds));

    /// <summary>In a third of the histories the instance may stop itself.</summary>
    private static readonly Gen<IdlePolicy?> Idle = Gen.Frequency(
        (2, Gen.Const((IdlePolicy?)null)),
        (1, Gen.Select(OptionalSeconds(10, 300), Gen.Int[0, 300], OptionalSeconds(330, 1500),
            (stopAfter, grace, maxUptime) => (IdlePolicy?)new IdlePolicy
            {
                StopAfter = stopAfter,
                Grace = TimeSpan.FromSeconds(grace),
                MaxUptime = maxUptime,
                ShutdownDeadline = TimeSpan.FromMinutes(2),
                Retry = new Backoff(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)),
            })));

    private static Gen<TimeSpan?> OptionalSeconds(int min, int max) =>
        Gen.Frequency((1, Gen.Const((TimeSpan?)null)), (3, Gen.Int[min, max].Select(s => (TimeSpan?)TimeSpan.FromSeconds(s))));

    /// <summary>Short, so that a history sees sessions fall idle and waits end.</summary>
    private static readonly Gen<(bool WaitForIdle, TimeSpan IdleAfter, TimeSpan WaitAtMost)> Waits = Gen.Select(
        Gen.Bool,
        Gen.Int[1, 120].Select(s => TimeSpan.FromSeconds(s)),
        Gen.Int[60, 600].Select(s => TimeSpan.FromSeconds(s)));

    private static readonly Gen<Policy> Policies = Gen.Select(
        Gen.Bool,
        Waits,
        Gen.OneOf<TimeSpan?>(null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)),
        Gen.Bool,
        Gen.Bool,
        Gen.Int[30, 180],
        Gen.Frequency((3, Gen.Const(true)), (1, Gen.Const(false))),
        Idle,
        (hasGate, waits, checkEvery, startFirst, cachedFirst, watch, runsSession, idle) => new Policy
        {
            Idle = idle,
            StartFirst = startFirst,
            BootFromCache = cachedFirst,
            Watch = TimeSpan.FromSeconds(watch),
            ConfigFingerprint = "config-1",
            HasGate = hasGate,
            GateRunsSession = runsSession,
            SessionRetry = new Backoff(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(60)),
            WaitForIdle = waits.WaitForIdle,
            IdleAfter = waits.IdleAfter,
            WaitAtMost = waits.WaitAtMost,
            CheckInterval = checkEvery,
            // Short, so that a history reaches what lies behind them; the rules are the same.
            StartupDeadline = TimeSpan.FromSeconds(60),
            LivenessFailures = 3,
            Restart = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)),
            RestartResetAfter = TimeSpan.FromMinutes(2),
            PullRetry = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)),
        });

    /// <summary>Short ones find most and say most; the length is part of what shrinks.</summary>
    public static Gen<History> Any(int maxSteps) =>
        Gen.Select(Gen.UInt, Policies, Gen.Bool, AnyStep.Array[0, maxSteps],
            (seed, policy, survive, steps) => new History(seed, policy, survive, steps));

    public override string ToString() =>
        $"luck {Seed}, gate {Policy.HasGate}, session {Policy.GateRunsSession}, wait for idle {Policy.WaitForIdle} " +
        $"({Policy.IdleAfter.TotalSeconds}s, at most {Policy.WaitAtMost.TotalSeconds}s), " +
        $"check every {Policy.CheckInterval?.ToString() ?? "never"}, " +
        $"start-first {Policy.StartFirst}, cached first {Policy.BootFromCache}, watch {Policy.Watch.TotalSeconds}s, " +
        (Policy.Idle is { } idle ? $"idle after {idle.StopAfter?.TotalSeconds}s, grace {idle.Grace.TotalSeconds}s, up at most {idle.MaxUptime?.TotalSeconds}s, " : "") +
        $"secrets survive a restart {SecretsSurviveRestart}; " +
        string.Join(", ", Steps.Select(t => $"+{t.Delay.TotalSeconds:0.###}s {t.Incident}({t.DurationSeconds}s)"));
}
