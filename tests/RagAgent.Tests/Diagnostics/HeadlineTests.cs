using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

public class HeadlineTests
{
    private static readonly ProbeSchedule Probe = new(Moment.Zero, null);

    [Fact]
    public void Before_the_engine_was_asked_it_is_being_asked() => Says("Docker Engine is being asked what runs.", new AgentState());

    [Fact]
    public void An_engine_that_fails_is_told_with_what_to_do() => Says("It went wrong. Do this.", new AgentState { Engine = Told.Failing<Inventory>(Told.Trouble) });

    [Fact]
    public void A_serving_app_is_named_by_its_digest() => Says("The app serves (sha256:0123456789ab).", Told.Idle with { Front = Told.Serving() });

    [Fact]
    public void A_serving_app_whose_image_is_unknown_serves_too() =>
        Says("The app serves (unknown image).", Told.Idle with { Front = Told.Serving() with { Container = Told.Container() with { Image = null } } });

    [Fact]
    public void A_serving_app_beside_a_failing_engine_still_serves() =>
        Says("The app serves (sha256:0123456789ab). It went wrong. Do this.", Told.Idle with { Front = Told.Serving(), Engine = Told.Failing<Inventory>(Told.Trouble) });

    [Fact]
    public void An_app_that_fails_beside_an_engine_that_is_away_is_told_by_the_engine() =>
        Says("The app does not answer. It went wrong. Do this.",
            Told.Idle with { Front = Told.Serving(failures: 2, fault: "connection refused"), Engine = Told.Failing<Inventory>(Told.Trouble with { Code = ProblemCodes.EngineUnreachable }) });

    [Fact]
    public void A_serving_app_beside_a_failing_registry_just_serves_once_it_was_known_to_be_the_newest()
    {
        Says("The app serves (sha256:0123456789ab).", Told.Idle with { Front = Told.Serving(), Tag = Told.Failing(Told.Trouble, Told.Resolution) });
        Says("The app serves from the image on disk (sha256:0123456789ab), which may not be the newest. It went wrong. Do this.",
            Told.Idle with { Front = Told.Serving(), Tag = Told.Failing<Resolution>(Told.Trouble) });
    }

    [Fact]
    public void An_image_that_was_set_aside_is_told_beside_the_one_that_serves()
    {
        var serving = Told.Idle with { Front = Told.Serving(), KnownGood = [Told.Image] };
        var bad = new ImageName("registry/app", Told.NewerDigest);

        Says("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff is quarantined: It went wrong.",
            serving with { Verdict = new Verdict.Quarantined(bad, Told.Trouble) });
        Says("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff was rolled back: It went wrong.",
            serving with { Verdict = new Verdict.RolledBack(bad, Told.Trouble, 0, 1, ByOperator: false, Inputs: null) });
        Says("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff failed, and the one before it did too: It went wrong.",
            serving with { Verdict = new Verdict.Undecided(bad, Told.Trouble, 1, "c") });
    }

    [Fact]
    public void An_app_that_is_to_stay_stopped_says_by_whom()
    {
        Says("The app is stopped by 'ragagent stop'. Start it with 'ragagent start'.", Told.Idle with { Hold = Hold.Operator });
        Says("The app is stopped by 'docker stop'. Start it with 'ragagent start'.", Told.Idle with { Hold = Hold.DockerStop });
    }

    [Fact]
    public void An_app_that_fails_its_probes_is_told_with_the_fault() =>
        Says("The app serves but failed 2 of 4 liveness probes: /_stcore/health answered 503.",
            Told.Idle with { Front = Told.Serving(failures: 2, fault: "/_stcore/health answered 503") });

    [Fact]
    public void A_starting_app_is_told_with_its_last_fault()
    {
        var probing = new ContainerState.Probing(Told.Container(), Moment.Zero, ProbeKind.Startup, Probe, null, Adopted: false);

        Says("The app is starting.", Told.Idle with { Front = probing });
        Says("The app is starting: /_stcore/health answered 503.", Told.Idle with { Front = probing with { LastError = "/_stcore/health answered 503" } });
    }

    [Fact]
    public void A_container_that_is_being_started_is_told() =>
        Says("The container is being started.", Told.Idle with { Front = new ContainerState.Starting(1, new Release(Told.Image, "c", "s"), Moment.Zero) });

    [Fact]
    public void A_container_that_is_being_stopped_is_told_with_the_reason_that_visitors_care_for()
    {
        Says("The container makes room for another release.", Told.Idle with { Front = new ContainerState.Stopping(1, Told.Container(), new StopReason.Replaced()) });
        Says("The container is being stopped.", Told.Idle with { Front = new ContainerState.Stopping(1, Told.Container(), new StopReason.Stray()) });
    }

    [Fact]
    public void An_app_that_failed_is_told_by_its_failure_and_after_many_as_a_loop()
    {
        var failed = Told.Idle with { Front = new ContainerState.BackingOff(Moment.Zero, new Failure(Moment.Zero, null, Told.Trouble, null)), Crashes = 1 };

        Says("It went wrong. Do this.", failed);
        Says("It went wrong. Do this.", failed with { Crashes = 5 });   // it never came to run
        var crashed = new Problem("app-exited", "It exited.", "Look there.");
        Says("The app is crash-looping (5 in a row). It exited. Look there.",
            failed with { Front = new ContainerState.BackingOff(Moment.Zero, new Failure(Moment.Zero, null, crashed, null)), Crashes = 5 });
    }

    [Fact]
    public void An_app_that_serves_behind_a_closed_door_serves_nobody() =>
        Says($"The app serves ({Told.Digest[..19]}), and no visitor gets in. It went wrong. Do this.",
            Told.Idle with { Front = Told.Serving(), FrontDoor = new FrontDoorState(IsOpen: false, Told.Trouble) });

    [Fact]
    public void What_is_rolled_back_serves_until_the_one_before_it_is_there() =>
        Says($"The app serves ({Told.Digest[..19]}), until the image before it takes its place.",
            Told.Idle with { Front = Told.Serving(), Verdict = new Verdict.RolledBack(Told.Image, Told.Trouble, 0, 1, ByOperator: true, Inputs: null) });

    [Fact]
    public void What_is_missing_for_a_start_is_told_in_the_order_in_which_one_needs_the_other()
    {
        var trouble = (string what) => new Problem("x", what, "Do this.");
        var image = Told.Idle with { Image = Told.Failing<FetchedImage>(trouble("Image.")) };
        var tag = image with { Tag = Told.Failing<Resolution>(trouble("Tag.")) };
        var secrets = tag with { Secrets = Told.Failing<SecretVersions>(trouble("Secrets.")) };
        var engine = secrets with { Engine = Told.Failing<Inventory>(trouble("Engine.")) };

        Says("Image. Do this.", image);
        Says("Tag. Do this.", tag);
        Says("Secrets. Do this.", secrets);
        Says("Engine. Do this.", engine);
    }

    [Fact]
    public void A_boot_goes_from_question_to_question()
    {
        Says("Asking the registry what the newest image is.", Told.Idle);
        var resolved = Told.Idle with { Tag = Told.Known(Told.Resolution) };
        Says("Reading the secrets.", resolved);
        Says("Preparing to pull registry/app:latest.", resolved with { Image = Told.Running<FetchedImage>() });
        Says("Pulling registry/app:latest: 42 % (420 MB of 1.0 GB).", resolved with { Image = Told.Running<FetchedImage>(), PullProgress = new PullProgress(0.42, 420_000_000, 1_000_000_000) });
        Says("The container is about to be started.", resolved with { Secrets = Told.Known(Told.Secrets), Image = Told.Known(new FetchedImage(Told.Digest, 0)) });
    }

    private static void Says(string expected, AgentState state) => Assert.Equal(expected, Headline.Describe(state, Told.Policy));
}
