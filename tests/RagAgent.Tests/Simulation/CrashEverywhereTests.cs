using RagAgent.Common;
using RagAgent.Supervision;
using Xunit;

namespace RagAgent.Tests.Simulation;

/// <summary>
/// A few important histories, each repeated once for every event in it. Each time the agent crashes right after that event, and its
/// effects in progress stop at some stage. This covers every effect boundary of a rollout.
/// </summary>
[Collection(AllCoresCollection.Name)]
public class CrashEverywhereTests(ITestOutputHelper output)
{
    private static readonly TimeSpan SettlingTime = TimeSpan.FromMinutes(4);   // longer than the watch

    public static TheoryData<string, bool> Lives => new(
        from name in Histories.Keys
        from startFirst in new[] { true, false }
        select (name, startFirst));

    private static readonly Dictionary<string, HistoryStep[]> Histories = new()
    {
        ["a boot"] = [],
        ["a good update"] = [After(SettlingTime, Incident.PushGood), After(TimeSpan.FromSeconds(1), Incident.AskUpdate), After(TimeSpan.FromMinutes(1), Incident.CloseSessions)],
        ["an update that exits"] =
        [
            After(SettlingTime, Incident.PushExiting, 2),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(TimeSpan.FromMinutes(2), Incident.CloseSessions),
        ],
        ["an update that is never well"] =
        [
            After(SettlingTime, Incident.PushNeverHealthy),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(TimeSpan.FromMinutes(3), Incident.CloseSessions),
        ],
        ["an update that hangs later"] =
        [
            After(SettlingTime, Incident.PushHanging, 20),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(TimeSpan.FromMinutes(5), Incident.CloseSessions),
        ],
        ["a rollback by hand"] =
        [
            After(SettlingTime, Incident.PushGood),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(SettlingTime, Incident.AskRollback),
            After(TimeSpan.FromMinutes(1), Incident.AskUnquarantine), After(TimeSpan.FromMinutes(1), Incident.CloseSessions),
        ],
        ["a stop and a start"] =
        [
            After(SettlingTime, Incident.AskStop),
            After(TimeSpan.FromSeconds(20), Incident.AskStart),
            After(TimeSpan.FromMinutes(1), Incident.CloseSessions),
        ],
        ["a restart of the engine"] = [After(SettlingTime, Incident.EngineRestart, 5), After(TimeSpan.FromMinutes(1), Incident.CloseSessions)],
        ["secrets that no image can work with"] =
        [
            After(SettlingTime, Incident.RotateSecretToBad),
            After(TimeSpan.FromSeconds(1), Incident.PushGood),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(TimeSpan.FromMinutes(2), Incident.RotateSecret),
            After(TimeSpan.FromSeconds(1), Incident.AskUpdate),
            After(TimeSpan.FromMinutes(2), Incident.CloseSessions),
        ],
    };

    [Theory]
    [MemberData(nameof(Lives))]
    public void Wherever_the_agent_crashes_the_invariants_hold_and_the_newest_good_image_serves(string life, bool startFirst)
    {
        var crashes = 0;
        for (uint seed = 1; seed <= SimulationDepth.SeedsPerCrash; seed++)
        {
            var history = new History(seed, Policy(startFirst), SecretsSurviveRestart: false, Histories[life]);
            var events = SimulatedLife.Run(history).EventCount;
            int? failedAfter = null;
            Parallel.For(0, events, (eventNumber, loop) =>
            {
                try
                {
                    SimulatedLife.Run(history, null, eventNumber);
                }
                catch (InvariantViolatedException)
                {
                    lock (history)
                    {
                        failedAfter = Math.Min(eventNumber, failedAfter ?? eventNumber);
                    }
                    loop.Break();
                }
            });
            Assert.True(failedAfter is null, $"A crash after event {failedAfter}: {(failedAfter is null ? "" : SimulatedLife.Describe(history, failedAfter))}");
            crashes += events;
        }
        output.WriteLine($"{crashes} crashes.");
    }

    private static Policy Policy(bool startFirst) => new()
    {
        ConfigFingerprint = "config-1",
        StartFirst = startFirst,
        CheckInterval = null,
        Watch = TimeSpan.FromMinutes(2),
        StartupDeadline = TimeSpan.FromSeconds(60),
        LivenessFailures = 3,
        Restart = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)),
        RestartResetAfter = TimeSpan.FromMinutes(2),
    };

    private static HistoryStep After(TimeSpan after, Incident incident, int seconds = 0) => new(after, incident, seconds);
}
