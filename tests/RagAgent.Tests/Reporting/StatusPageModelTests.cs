using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Forwarding;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Simulation;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Reporting;

/// <summary>What the status page shows while the app does not serve.</summary>
public partial class StatusPageModelTests
{
    private static readonly Moment Now = new(TimeSpan.FromSeconds(40));
    private static readonly Problem Internal = new(ProblemCatalog.AwsDenied,
        $"The role ragstream-instance may not read arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY for registry/app@{Sample.Digest} at 10.0.0.7:5000.",
        "Run 'aws iam put-role-policy' with /etc/policy.json.");
    private static readonly Failure Crashed = new(Now, "release-1", Internal, null);
    private static readonly AgentState Known = Sample.StateWithoutContainer with
    {
        Secrets = Sample.Loaded(Sample.CurrentSecrets),
        Tag = Sample.Loaded(Sample.CurrentResolution),
    };
    private static readonly AgentState Cached = Known with { Image = Sample.Loaded(new FetchedImage(Sample.Digest, 1)) };
    private static readonly AgentState PullingState = Known with
    {
        Image = Sample.Loading<FetchedImage>(),
        Pull = Known.Pull with
        {
            Progress = new PullProgress(0.34, 612_000_000, 1_420_000_000),
            Rate = new PullRate(Now, 612_000_000, 38_400_000),
        },
    };

    private static readonly Dictionary<string, AgentState> States = new()
    {
        ["first"] = new(),
        ["engine down"] = new() { Engine = Sample.LoadFailed<Inventory>(Internal) },
        ["no secret"] = Sample.StateWithoutContainer with
        {
            Secrets = Sample.LoadFailed<SecretVersions>(Internal),
            Tag = Sample.Loaded(Sample.CurrentResolution),
        },
        ["no tag"] = Sample.StateWithoutContainer with { Tag = Sample.LoadFailed<Resolution>(Internal) },
        ["no image"] = Known with { Image = Sample.LoadFailed<FetchedImage>(Internal) },
        ["pulling"] = PullingState,
        ["starting"] = Cached with { Front = new ContainerState.Starting(1, new Release(Sample.CurrentImage, "config", "secrets"), Now) },
        ["probing"] = Cached with
        {
            Front = new ContainerState.Probing(
                Sample.Container(), Now, ProbeKind.Startup, new ProbeSchedule(Now, null), Internal.What, Adopted: false),
        },
        ["adopted"] = Cached with
        {
            Front = new ContainerState.Probing(
                Sample.Container(), Now, ProbeKind.Startup, new ProbeSchedule(Now, null), null, Adopted: true),
        },
        ["sick"] = Cached with { Front = Sample.Serving(failures: 2, fault: Internal.What) },
        ["update"] = Cached with
        {
            Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Replaced()),
            LastServed = Now,
        },
        ["killed"] = Cached with
        {
            Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Unhealthy(4, Internal.What)),
            LastServed = Now,
        },
        ["being stopped"] = Cached with
        {
            Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Requested()),
            Hold = StopHold.Operator,
        },
        ["stopped"] = Cached with { Hold = StopHold.Operator },
        ["stopped by docker"] = Cached with { Hold = StopHold.DockerStop },
        ["crashed"] = Cached with
        {
            Front = new ContainerState.BackingOff(Now, Crashed),
            Failures = Cached.Failures with { Crashes = 1 },
            LastServed = Now,
        },
        ["crash loop"] = Cached with
        {
            Front = new ContainerState.BackingOff(Now, Crashed with { Problem = Internal with { Kind = ProblemCatalog.AppExited } }),
            Failures = Cached.Failures with { Crashes = 7 },
        },
        ["nobody there"] = Cached with { Hold = StopHold.Operator, Idle = new IdleState(Now, IdleNoticeAt: Now) },
        ["up for long"] = Cached with
        {
            Front = new ContainerState.BackingOff(Now, Crashed),
            Failures = Cached.Failures with { Crashes = 1 },
            LastServed = Now,
            Idle = new IdleState(Now, UptimeNoticeAt: Now),
        },
        ["leaving"] = Cached with
        {
            Front = Sample.Serving(),
            Idle = new IdleState(Now, IdleNoticeAt: Now),
            InstanceStop = Sample.Loaded(new StopAccepted("i-1", Now)),
        },
        ["rolled back"] = Cached with
        {
            Front = Sample.Serving(),
            Images = Cached.Images with { Verdict = new Verdict.Quarantined(new ImageName("registry/app", Sample.NewerDigest), Internal) },
            FrontDoor = new FrontDoorState(false, Internal),
        },
    };

    [Theory]
    [InlineData("first", "starting", "The machine is getting ready.")]
    [InlineData("engine down", "failing", "The machine is not ready for the app yet. Retrying automatically.")]
    [InlineData("no secret", "failing", "Something the app needs can't be reached right now. Retrying automatically.")]
    [InlineData("no tag", "failing", "The newest version can't be reached right now. Retrying automatically.")]
    [InlineData("no image", "failing", "The newest version can't be reached right now. Retrying automatically.")]
    [InlineData("pulling", "starting", "The newest version is being downloaded.")]
    [InlineData("starting", "starting", "The app is starting.")]
    [InlineData("probing", "starting", "The app has started and is getting ready.")]
    [InlineData("adopted", "restarting", "The app will be back in a moment.")]
    [InlineData("sick", "unreachable", "The app is not responding right now.")]
    [InlineData("update", "updating", "The app is being updated.")]
    [InlineData("killed", "restarting", "The app is restarting.")]
    [InlineData("being stopped", "stopped", "The app is turned off for now.")]
    [InlineData("stopped", "stopped", "The app is turned off for now.")]
    [InlineData("stopped by docker", "stopped", "The app is turned off for now.")]
    [InlineData("crashed", "restarting", "The app failed and is about to restart.")]
    [InlineData("leaving", "leaving", "This machine is shutting down because no one has used the app for a while.")]
    [InlineData("crash loop", "failing", "The app keeps failing. Retrying automatically, with longer and longer pauses.")]
    public void Strangers_read_one_sentence_about_what_is_going_on(string state, string status, string sentence)
    {
        var page = CreateModel(state);

        Assert.Equal((status, sentence, null), (page.Status, page.Sentence, page.Details));
        Assert.Equal(sentence, page.Message);
    }

    [Theory]
    [InlineData("stopped", null)]
    [InlineData("nobody there", "This machine will shut down soon because no one has used the app for a while.")]
    [InlineData("up for long", "This machine will shut down soon because it has been running for a long time.")]
    [InlineData("leaving", null)]
    public void The_page_announces_that_the_machine_will_shut_down(string state, string? ending) =>
        Assert.Equal(ending, CreateModel(state).Ending);

    [Theory]
    [InlineData("first", "now waiting waiting waiting waiting waiting")]
    [InlineData("engine down", "failed waiting waiting waiting waiting waiting")]
    [InlineData("no secret", "done failed done waiting waiting waiting")]
    [InlineData("no tag", "done waiting failed waiting waiting waiting")]
    [InlineData("no image", "done done done failed waiting waiting")]
    [InlineData("pulling", "done done done now waiting waiting")]
    [InlineData("starting", "done done done done now waiting")]
    [InlineData("probing", "done done done done done now")]
    [InlineData("sick", "done done done done done failed")]
    [InlineData("update", "done done done done now waiting")]
    [InlineData("crash loop", "done done done done failed waiting")]
    [InlineData("stopped", "")]
    public void The_steps_show_how_far_it_is(string state, string steps) =>
        Assert.Equal(steps, string.Join(' ', CreateModel(state).Steps.Select(step => step.State)));

    [Fact]
    public void During_a_boot_the_page_shows_its_times_and_the_length_of_the_last_start()
    {
        var boot = Sample.FirstBoot(new SampleBootHistory());
        boot.Reach(BootMilestone.Secret);

        var during = StatusPageModel.Of(PullingState, Sample.DefaultPolicy, boot, Now, PageDetails.Brief);
        boot.Reach(BootMilestone.Healthy);
        var after = StatusPageModel.Of(PullingState, Sample.DefaultPolicy, boot, Now, PageDetails.Brief);

        Assert.Equal(("after 5s", "The last start took 1m13s."), (during.Steps[1].Note, during.Before));
        Assert.Equal(("done", null), (after.Steps[1].Note, after.Before));
    }

    [Theory]
    [InlineData(0, 1000, 100.0, "0 B of 1 kB", "100 B/s, about 10 s left")]
    [InlineData(612_000_000, 1_420_000_000, 38_400_000.0, "612 MB of 1.4 GB", "38 MB/s, about 30 s left")]
    [InlineData(0, 600_000_000, 1_000_000.0, "0 B of 600 MB", "1 MB/s, about 10 min left")]
    [InlineData(0, 60_000_000, 1_000_000.0, "0 B of 60 MB", "1 MB/s, about a minute left")]
    [InlineData(0, 36_000_000_000, 1_000_000.0, "0 B of 36.0 GB", "1 MB/s, about 10 h left")]
    [InlineData(5, 5, 100.0, "5 B of 5 B", "unpacking")]
    [InlineData(1, 5, null, "1 B of 5 B", "")]
    public void A_pull_is_shown_with_bytes_speed_and_time_left(long downloaded, long total, double? speed, string amount, string pace)
    {
        var pull = StatusPagePull.Of(new PullProgress(0.5, downloaded, total), new PullRate(Now, downloaded, speed), Now);

        Assert.Equal((50, amount, pace), (pull.Percent, pull.Amount, pull.Pace));
    }

    [Fact]
    public void Full_details_include_the_headline_for_operators()
    {
        var page = FullModel("no secret");

        Assert.Equal(Headline.Describe(States["no secret"], Sample.DefaultPolicy), page.Details);
        Assert.Equal(page.Details, page.Message);
        Assert.Contains("123456789012", page.Message, StringComparison.Ordinal);
        Assert.Equal("The app is not responding right now.", FullModel("rolled back").Message);
    }

    [Fact]
    public void Brief_details_contain_nothing_internal_in_any_state()
    {
        Assert.All(States, state => AssertNothingInternal(state.Value));
        // The pattern finds what is there.
        Assert.Matches(InternalDetail(), JsonSerializer.Serialize(FullModel("no secret"), StatusPageJson.Plain.StatusPageModel));
    }

    [Fact]
    public void Brief_details_contain_nothing_internal_in_any_simulated_life() =>
        History.Any(maxSteps: 12).Sample(history => SimulatedLife.Run(history, onState: AssertNothingInternal), iter: 100);

    [Fact]
    public void No_simulated_request_waits_for_an_app_that_has_never_served_or_is_stopped()
    {
        History.Any(maxSteps: 12).Sample(history => SimulatedLife.Run(history, onState: state =>
        {
            // Nothing is known before the engine is inspected.
            if (state.Front is not ContainerState.Unknown &&
                RecoveryForecast.WaitUntil(state, history.Policy, TimeSpan.FromSeconds(30)) is not null)
            {
                Assert.True(
                    state is { Hold: null } and
                        ({ LastServed: not null }
                        or { Front: ContainerState.Probing { Adopted: true } or ContainerState.Serving { UnreadySince: not null } }),
                    $"{state}");
            }
        }), iter: 100);
    }

    private static StatusPageModel CreateModel(string state) =>
        StatusPageModel.Of(States[state], Sample.DefaultPolicy, Sample.FirstBoot(), Now, PageDetails.Brief);

    private static StatusPageModel FullModel(string state) =>
        StatusPageModel.Of(States[state], Sample.DefaultPolicy, Sample.FirstBoot(), Now, PageDetails.Full);

    private static void AssertNothingInternal(AgentState state)
    {
        var page = StatusPageModel.Of(state, Sample.DefaultPolicy, Sample.FirstBoot(), state.Now, PageDetails.Brief);
        Assert.DoesNotMatch(InternalDetail(), JsonSerializer.Serialize(page with { Pull = null }, StatusPageJson.Plain.StatusPageModel));
        Assert.DoesNotMatch(InternalDetail(), page.Message);
    }

    /// <summary>Digests, registries, accounts, roles, addresses, files, commands and containers.</summary>
    [GeneratedRegex(@"sha256|registry|:latest|\d{4,}|arn:|role|ragstream|ragagent|docker|OPENAI|AWS|aws|iam|ssm|@|/|exit|code \d|\bc\d+\b|signal", RegexOptions.CultureInvariant)]
    private static partial Regex InternalDetail();

    private sealed class SampleBootHistory : IBootStore
    {
        public IReadOnlyList<BootRecord> Read() =>
        [
            new BootRecord(
                "boot-0",
                DateTimeOffset.UnixEpoch,
                new Dictionary<BootMilestone, TimeSpan> { [BootMilestone.Healthy] = TimeSpan.FromSeconds(73) }),
        ];

        public void Write(IReadOnlyList<BootRecord> boots)
        {
        }
    }
}
