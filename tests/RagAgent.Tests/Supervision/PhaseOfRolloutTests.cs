using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What the status calls the phase of a rollout in states that a usual update doesn't pass through.</summary>
public class PhaseOfRolloutTests
{
    private static readonly Policy Policy = new() { ConfigFingerprint = ContainerStory.Config };

    private readonly AgentState _state = new()
    {
        Front = new ContainerState.Absent(),
        Tag = Sample.Loaded(Sample.ResolutionOf(Sample.NewImage)),
        Secrets = Sample.Loaded(Sample.Secrets("1")),
        Image = Sample.Loaded(new FetchedImage(Sample.NewImage.Digest, 0)),
    };

    [Theory]
    [InlineData(false, ProbeKind.Startup, "candidate")]
    [InlineData(false, ProbeKind.Gate, "gate")]
    [InlineData(true, ProbeKind.Startup, "pull")]
    [InlineData(true, ProbeKind.Gate, "pull")]
    internal void A_container_that_was_found_is_no_candidate_while_the_newest_image_is_pulled(bool adopted, ProbeKind stage,
        string phase) =>
        Assert.Equal(phase, Phase(Pulling(OnTrial(Sample.NewImage)) with { Front = Probing(Sample.NewImage, stage, adopted) }));

    [Theory]
    [InlineData(ProbeKind.Startup)]
    [InlineData(ProbeKind.Gate)]
    internal void A_container_whose_image_is_not_on_trial_is_no_candidate(ProbeKind stage)
    {
        Assert.Equal("pull", Phase(Pulling(OnTrial(Sample.NewImage)) with { Front = Probing(Sample.OldImage, stage, adopted: false) }));
        Assert.Equal("pull", Phase(Pulling(null) with { Front = Probing(Sample.NewImage, stage, adopted: false) }));
    }

    [Fact]
    public void A_start_of_the_image_on_trial_is_a_candidate_also_while_a_newer_one_is_pulled()
    {
        Assert.Equal("candidate", Phase(Pulling(OnTrial(Sample.NewImage)) with { Front = Starting(Sample.NewImage) }));
        Assert.Equal("pull", Phase(Pulling(OnTrial(Sample.NewImage)) with { Front = Starting(Sample.OldImage) }));
    }

    [Fact]
    public void A_proven_image_that_serves_is_settled_whatever_the_secrets_are()
    {
        var serving = new ContainerState.Serving(Sample.RunningContainer("front", Sample.Release(Sample.OldImage)), Moment.Zero, 0,
            default, null);
        var images = new ImageHistory { KnownGood = [Sample.OldImage] };
        Assert.Equal("settled", Phase(_state with { Front = serving, Images = images, Secrets = Fetched<SecretVersions>.Wanted }));
    }

    [Fact]
    public void Where_nothing_runs_only_the_newest_good_image_counts_as_settled()
    {
        Assert.Equal("settled", Phase(_state with { Images = new ImageHistory { KnownGood = [Sample.NewImage, Sample.OldImage] } }));
        Assert.Equal("none", Phase(_state with { Images = new ImageHistory { KnownGood = [Sample.OldImage, Sample.NewImage] } }));
    }

    private static ContainerState.Probing Probing(ImageName image, ProbeKind stage, bool adopted) =>
        new(Sample.RunningContainer("front", Sample.Release(image)), Moment.Zero, stage, default, null, adopted);

    private static ContainerState.Starting Starting(ImageName image) => new(1, Sample.Release(image), Moment.Zero);

    private static Verdict.OnTrial OnTrial(ImageName image) => new(image, 0, 1);

    private static string Phase(AgentState state) => RolloutPhaseName.Of(state, Policy);

    private AgentState Pulling(Verdict? verdict) =>
        _state with { Image = Sample.Loading<FetchedImage>(), Images = new ImageHistory { Verdict = verdict } };
}
