using RagAgent.Supervision;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which image is started while the newest one is not known, or not there.</summary>
public class CachedFirstTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void With_the_cache_first_the_last_good_image_is_started_at_boot_without_the_registry()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void Without_that_setting_the_registry_is_waited_for_and_then_what_ran_last_is_started()
    {
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        for (var failure = 0; failure < 3; failure++)
        {
            Assert.False(_story.IsPending<Effect.StartContainer>());
            _story.FailResolve().Advance(TimeSpan.FromSeconds(10));
        }
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void With_the_cache_first_what_ran_last_is_started_where_nothing_is_proven()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        _story.StartServing();
        _story.Containers[0] = _story.Containers[0].Exited(0);
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void With_the_cache_first_a_crash_is_followed_by_what_crashed_and_not_by_an_older_image()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().RestartAgent().CompleteInspection().PassProbes().CompleteSecretsRead();
        _story.Crash().WaitOutBackoff();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void An_image_that_ran_last_and_is_gone_from_the_disk_is_replaced_by_the_last_good_one()
    {
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        for (var failure = 0; failure < 3; failure++)
        {
            _story.FailResolve().Advance(TimeSpan.FromSeconds(10));
        }
        _story.FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets().Advance(TimeSpan.FromSeconds(5)).CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    /// <summary>The newer image was on trial when the machine went down; the one before it is good.</summary>
    private void RanAnImageOnTrial()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap();
        _story.Containers[0] = _story.Containers[0].Exited(0);
    }
}
