using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Health;
using RagAgent.Health.Sessions;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>What the gate says about each app of tests/streamlit/apps on real Streamlit.</summary>
/// <remarks>Real Streamlit is healthy with each of them, also with the broken ones: its health check does not run the script.</remarks>
public sealed class PageVerdictTests
{
    private const string ContainerId = "0123456789abcdef";
    private static readonly AgentConfig Config = new() { Image = "app" };

    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Versions))]
    public async Task The_gate_passes_each_good_app(string version)
    {
        var verdicts = await ProbeAllAsync(version, StreamlitApps.Good);

        Assert.All(verdicts, verdict => Assert.True(verdict.Value.Result is ProbeResult.Passed { Session: SessionReading.Works }, $"{verdict}"));
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task The_gate_fails_each_broken_app(string version)
    {
        var verdicts = await ProbeAllAsync(version, StreamlitApps.Broken);

        Assert.All(verdicts, verdict => Assert.True(verdict.Value.Result is ProbeResult.SessionFailed, $"{verdict}"));
    }

    [Theory]
    [InlineData("broken/missing_package")]
    [InlineData("broken/syntax_error")]
    [InlineData("broken/local_module_syntax")]
    public async Task What_the_image_lacks_is_final_at_the_first_session(string app)
    {
        var verdicts = await ProbeAllAsync(StreamlitInstallation.WithUvicorn, [app]);

        Assert.True(Assert.IsType<ProbeResult.SessionFailed>(verdicts[app].Result).IsFinal, $"{verdicts[app]}");
    }

    /// <summary>Two at a time, because each start takes a second of processor time.</summary>
    private static async Task<IReadOnlyDictionary<string, Verdict>> ProbeAllAsync(string version, IReadOnlyList<string> apps)
    {
        await StreamlitInstallation.FolderAsync(version);
        var verdicts = new ConcurrentDictionary<string, Verdict>();
        await Parallel.ForEachAsync(apps, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Cancellation },
            async (app, stopping) => verdicts[app] = await ProbeAsync(version, app, stopping));
        Report(version, verdicts);
        return verdicts;
    }

    private static async Task<Verdict> ProbeAsync(string version, string app, CancellationToken stopping)
    {
        await using var server = await StreamlitServer.StartAsync(version, app, stopping: stopping);
        var log = new UncaughtExceptionLog();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var following = FollowAsync(server, log, ended.Token);
        using var prober = new HttpProber(
            Config, new SessionProbe(log, TimeProvider.System), new SecretVault(), TimeProvider.System, new Pressure("/nowhere"));
        // An endless run takes the whole limit. On a busy machine, the imports of others take long.
        var limit = TimeSpan.FromSeconds(StreamlitApps.Endless.Contains(app) ? 8 : 90);
        var container = new Container(ContainerId, "app", null, null, null, ContainerStatus.Running, "", server.Port, null);
        var began = TimeProvider.System.GetTimestamp();
        var result = await prober.ProbeAsync(ProbeKind.Gate, container, limit, stopping);
        var took = TimeProvider.System.GetElapsedTime(began);
        await ended.CancelAsync();
        await following;
        return new Verdict(result, took);
    }

    /// <summary>Passes the app's lines on, as the agent's follower of the container's log does.</summary>
    private static async Task FollowAsync(StreamlitServer server, UncaughtExceptionLog log, CancellationToken stopping)
    {
        var vault = new SecretVault();
        for (var read = 0; !stopping.IsCancellationRequested;)
        {
            var lines = server.Lines is [""] ? [] : server.Lines;
            for (; read < lines.Count; read++)
            {
                log.Observe(ContainerId, new RawLogLine(0, Encoding.UTF8.GetBytes(lines[read]), IsComplete: true), vault);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Report(string version, IEnumerable<KeyValuePair<string, Verdict>> verdicts)
    {
        foreach (var (app, (result, took)) in verdicts.OrderBy(verdict => verdict.Key, StringComparer.Ordinal))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{version} {app,-40} {took.TotalSeconds,5:F1} s  {result}"));
        }
    }

    /// <param name="Result">What the gate says.</param>
    /// <param name="Took">How long its session took.</param>
    private sealed record Verdict(ProbeResult Result, TimeSpan Took);
}
