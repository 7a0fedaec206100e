using RagAgent.Supervision;
using Xunit;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>
/// A few lives that matter, each lived again and again: once for every event in it, with the agent crashing right after that event and
/// whatever it had begun left at some stage of its way. Every effect boundary of a rollout is among them.
/// </summary>
[Collection(AllCores.Name)]
public class CrashEverywhereTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(4);   // longer than the watch

    public static TheoryData<string, bool> Lives => new(
        from name in All.Keys
        from startFirst in new[] { true, false }
        select (name, startFirst));

    private static readonly Dictionary<string, Turn[]> All = new()
    {
        ["a boot"] = [],
        ["a good update"] = [After(Settled, Happening.PushGood), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(TimeSpan.FromMinutes(1), Happening.CloseSessions)],
        ["an update that exits"] = [After(Settled, Happening.PushExiting, 2), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(TimeSpan.FromMinutes(2), Happening.CloseSessions)],
        ["an update that is never well"] = [After(Settled, Happening.PushNeverHealthy), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(TimeSpan.FromMinutes(3), Happening.CloseSessions)],
        ["an update that hangs later"] = [After(Settled, Happening.PushHanging, 20), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(TimeSpan.FromMinutes(5), Happening.CloseSessions)],
        ["a rollback by hand"] =
        [
            After(Settled, Happening.PushGood), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(Settled, Happening.AskRollback),
            After(TimeSpan.FromMinutes(1), Happening.AskUnquarantine), After(TimeSpan.FromMinutes(1), Happening.CloseSessions),
        ],
        ["a stop and a start"] = [After(Settled, Happening.AskStop), After(TimeSpan.FromSeconds(20), Happening.AskStart), After(TimeSpan.FromMinutes(1), Happening.CloseSessions)],
        ["a restart of the engine"] = [After(Settled, Happening.EngineRestart, 5), After(TimeSpan.FromMinutes(1), Happening.CloseSessions)],
        ["secrets that no image can work with"] =
        [
            After(Settled, Happening.RotateSecretToBad), After(TimeSpan.FromSeconds(1), Happening.PushGood), After(TimeSpan.FromSeconds(1), Happening.AskUpdate),
            After(TimeSpan.FromMinutes(2), Happening.RotateSecret), After(TimeSpan.FromSeconds(1), Happening.AskUpdate), After(TimeSpan.FromMinutes(2), Happening.CloseSessions),
        ],
    };

    [Theory]
    [MemberData(nameof(Lives))]
    public void Wherever_the_agent_crashes_the_rules_hold_and_the_newest_good_image_serves(string life, bool startFirst)
    {
        var lived = 0;
        for (uint luck = 1; luck <= Depth.LucksPerCrash; luck++)
        {
            var history = new History(luck, Policy(startFirst), SecretsSurviveRestart: false, All[life]);
            var moments = Lived.Through(history).Heard;
            int? fatal = null;
            Parallel.For(0, moments, (moment, all) =>
            {
                try
                {
                    Lived.Through(history, null, moment);
                }
                catch (RuleBrokenException)
                {
                    lock (history)
                    {
                        fatal = Math.Min(moment, fatal ?? moment);
                    }
                    all.Break();
                }
            });
            Assert.True(fatal is null, $"A crash after event {fatal}: {(fatal is null ? "" : Lived.Tell(history, fatal))}");
            lived += moments;
        }
        output.WriteLine($"{lived} crashes.");
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

    private static Turn After(TimeSpan after, Happening what, int seconds = 0) => new(after, what, seconds);
}
