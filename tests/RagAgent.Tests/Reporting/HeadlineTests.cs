using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Reporting;

public class HeadlineTests
{
    private static readonly ProbeSchedule Probe = new(Moment.Zero, null);

    [Fact]
    public void When_only_the_secrets_are_missing_for_the_image_on_disk_the_headline_says_so()
    {
        var reading = Fetched<SecretVersions>.Wanted.Begin(Moment.Zero);
        var state = new AgentState
        {
            Front = new ContainerState.Absent(),
            Engine = Sample.StateWithoutContainer.Engine,
            Secrets = reading,
            Tag = Fetched<Resolution>.Wanted.Begin(Moment.Zero),
            Images = new ImageHistory { LastRun = Sample.CurrentImage },
        };

        Assert.Equal("Asking the registry for the newest image.", Headline.Describe(state, Sample.DefaultPolicy));
        Assert.Equal(
            "Waiting for the secrets: their source hasn't answered yet. The image is on disk.",
            Headline.Describe(state with { Now = Moment.Zero + TimeSpan.FromSeconds(8) }, Sample.DefaultPolicy));
    }

    [Fact]
    public void The_first_thing_the_agent_does_is_to_ask_the_engine() =>
        AssertHeadline("Asking Docker Engine what is running.", new AgentState());

    [Fact]
    public void A_failing_engine_is_reported_with_its_remedy() =>
        AssertHeadline("It went wrong. Do this.", new AgentState { Engine = Sample.LoadFailed<Inventory>(Sample.AnyProblem) });

    [Fact]
    public void A_serving_app_is_named_by_its_digest() =>
        AssertHeadline("The app serves (sha256:0123456789ab).", Sample.StateWithoutContainer with { Front = Sample.Serving() });

    [Fact]
    public void A_serving_app_may_have_an_unknown_image() =>
        AssertHeadline("The app serves (unknown image).",
            Sample.StateWithoutContainer with { Front = Sample.Serving() with { Container = Sample.Container() with { Image = null } } });

    [Fact]
    public void The_app_still_serves_while_the_engine_fails() =>
        AssertHeadline("The app serves (sha256:0123456789ab). It went wrong. Do this.",
            Sample.StateWithoutContainer with { Front = Sample.Serving(), Engine = Sample.LoadFailed<Inventory>(Sample.AnyProblem) });

    [Fact]
    public void An_app_that_fails_while_the_engine_is_unreachable_is_explained_by_the_engine() =>
        AssertHeadline("The app does not answer. It went wrong. Do this.",
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(failures: 2, fault: "connection refused"),
                Engine = Sample.LoadFailed<Inventory>(Sample.AnyProblem with { Kind = ProblemCatalog.EngineUnreachable }),
            });

    [Fact]
    public void A_failing_registry_matters_only_while_the_newest_image_is_unknown()
    {
        AssertHeadline("The app serves (sha256:0123456789ab).",
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(),
                Tag = Sample.LoadFailed(Sample.AnyProblem, Sample.CurrentResolution),
            });
        AssertHeadline("The app serves from the image on disk (sha256:0123456789ab), which may not be the newest. It went wrong. Do this.",
            Sample.StateWithoutContainer with { Front = Sample.Serving(), Tag = Sample.LoadFailed<Resolution>(Sample.AnyProblem) });
    }

    [Fact]
    public void An_image_that_was_set_aside_is_reported_next_to_the_serving_one()
    {
        var serving = Sample.StateWithoutContainer with
        {
            Front = Sample.Serving(),
            Images = Sample.StateWithoutContainer.Images with { KnownGood = [Sample.CurrentImage] },
        };
        var bad = new ImageName("registry/app", Sample.NewerDigest);

        AssertHeadline("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff is quarantined: It went wrong.",
            serving with { Images = serving.Images with { Verdict = new Verdict.Quarantined(bad, Sample.AnyProblem) } });
        AssertHeadline("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff was rolled back: It went wrong.",
            serving with
            {
                Images = serving.Images with
                {
                    Verdict = new Verdict.RolledBack(bad, Sample.AnyProblem, 0, 1, ByOperator: false, Inputs: null),
                },
            });
        AssertHeadline("The app serves (sha256:0123456789ab). The newest image sha256:ffffffffffff failed, and so did the one before it: It went wrong.",
            serving with { Images = serving.Images with { Verdict = new Verdict.Undecided(bad, Sample.AnyProblem, 1, "c") } });
    }

    [Fact]
    public void A_stopped_app_is_reported_with_the_command_that_stopped_it()
    {
        AssertHeadline("The app was stopped with 'ragagent stop'. Start it with 'ragagent start'.",
            Sample.StateWithoutContainer with { Hold = StopHold.Operator });
        AssertHeadline("The app was stopped with 'docker stop'. Start it with 'ragagent start'.",
            Sample.StateWithoutContainer with { Hold = StopHold.DockerStop });
    }

    [Fact]
    public void Failed_liveness_probes_are_reported_with_the_last_error() =>
        AssertHeadline("The app serves but failed 2 of 4 liveness probes: /_stcore/health answered 503.",
            Sample.StateWithoutContainer with { Front = Sample.Serving(failures: 2, fault: "/_stcore/health answered 503") });

    [Fact]
    public void A_starting_app_is_reported_with_its_last_error()
    {
        var probing = new ContainerState.Probing(Sample.Container(), Moment.Zero, ProbeKind.Startup, Probe, null, Adopted: false);

        AssertHeadline("The app is starting.", Sample.StateWithoutContainer with { Front = probing });
        AssertHeadline("The app is starting: /_stcore/health answered 503.",
            Sample.StateWithoutContainer with { Front = probing with { LastError = "/_stcore/health answered 503" } });
    }

    [Fact]
    public void A_starting_container_has_a_headline() =>
        AssertHeadline("Starting the container.",
            Sample.StateWithoutContainer with
            {
                Front = new ContainerState.Starting(1, new Release(Sample.CurrentImage, "c", "s"), Moment.Zero),
            });

    [Fact]
    public void A_stopping_container_is_reported_with_its_replacement_if_there_is_one()
    {
        AssertHeadline("Stopping the container to replace it with another release.",
            Sample.StateWithoutContainer with { Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Replaced()) });
        AssertHeadline("Stopping the container.",
            Sample.StateWithoutContainer with { Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Stray()) });
    }

    [Fact]
    public void A_failed_app_is_reported_with_its_failure_and_many_failures_as_a_crash_loop()
    {
        var failed = Sample.StateWithoutContainer with
        {
            Front = new ContainerState.BackingOff(Moment.Zero, new Failure(Moment.Zero, null, Sample.AnyProblem, null)),
            Failures = Sample.StateWithoutContainer.Failures with { Crashes = 1 },
        };

        AssertHeadline("It went wrong. Do this.", failed);
        AssertHeadline("It went wrong. Do this.",
            failed with { Failures = failed.Failures with { Crashes = 5 } });   // it never came to run
        var crashed = new Problem(ProblemCatalog.AppExited, "It exited.", "Look there.");
        AssertHeadline("The app is crash-looping (5 in a row). It exited. Look there.",
            failed with
            {
                Front = new ContainerState.BackingOff(Moment.Zero, new Failure(Moment.Zero, null, crashed, null)),
                Failures = failed.Failures with { Crashes = 5 },
            });
    }

    [Fact]
    public void A_serving_app_behind_a_closed_front_door_is_unreachable() =>
        AssertHeadline($"The app serves ({Sample.Digest[..19]}), but clients can't reach it. It went wrong. Do this.",
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(),
                FrontDoor = new FrontDoorState(IsOpen: false, Sample.AnyProblem),
            });

    [Fact]
    public void A_rolled_back_image_serves_until_the_previous_one_replaces_it() =>
        AssertHeadline($"The app serves ({Sample.Digest[..19]}) until the previous image replaces it.",
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(),
                Images = Sample.StateWithoutContainer.Images with
                {
                    Verdict = new Verdict.RolledBack(Sample.CurrentImage, Sample.AnyProblem, 0, 1, ByOperator: true, Inputs: null),
                },
            });

    [Fact]
    public void Missing_parts_of_a_start_are_reported_in_the_order_of_their_dependencies()
    {
        var trouble = (string what) => new Problem(new ProblemKind("x"), what, "Do this.");
        var image = Sample.StateWithoutContainer with { Image = Sample.LoadFailed<FetchedImage>(trouble("Image.")) };
        var tag = image with { Tag = Sample.LoadFailed<Resolution>(trouble("Tag.")) };
        var secrets = tag with { Secrets = Sample.LoadFailed<SecretVersions>(trouble("Secrets.")) };
        var engine = secrets with { Engine = Sample.LoadFailed<Inventory>(trouble("Engine.")) };

        AssertHeadline("Image. Do this.", image);
        AssertHeadline("Tag. Do this.", tag);
        AssertHeadline("Secrets. Do this.", secrets);
        AssertHeadline("Engine. Do this.", engine);
    }

    [Fact]
    public void Each_step_of_a_boot_has_a_headline()
    {
        AssertHeadline("Asking the registry for the newest image.", Sample.StateWithoutContainer);
        var resolved = Sample.StateWithoutContainer with { Tag = Sample.Loaded(Sample.CurrentResolution) };
        AssertHeadline("Reading the secrets.", resolved);
        AssertHeadline("Preparing to pull registry/app:latest.", resolved with { Image = Sample.Loading<FetchedImage>() });
        AssertHeadline("Pulling registry/app:latest: 42 % (420 MB of 1.0 GB).",
            resolved with
            {
                Image = Sample.Loading<FetchedImage>(),
                Pull = resolved.Pull with { Progress = new PullProgress(0.42, 420_000_000, 1_000_000_000) },
            });
        AssertHeadline("About to start the container.",
            resolved with { Secrets = Sample.Loaded(Sample.CurrentSecrets), Image = Sample.Loaded(new FetchedImage(Sample.Digest, 0)) });
    }

    private static void AssertHeadline(string expected, AgentState state) =>
        Assert.Equal(expected, Headline.Describe(state, Sample.DefaultPolicy));
}
