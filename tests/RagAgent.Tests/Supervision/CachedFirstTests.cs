using RagAgent.Supervision;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which image is started while the newest one is not known, or not there.</summary>
public class CachedFirstTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void Booting_from_cache_starts_the_last_good_image_without_the_registry()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void Without_boot_from_cache_the_last_image_starts_only_after_the_registry_has_failed()
    {
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        for (var failure = 0; failure < 3; failure++)
        {
            Assert.False(_story.IsPending<Effect.StartContainer>());
            _story.FailResolve().Advance(TimeSpan.FromSeconds(3));
        }
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void Booting_from_cache_starts_the_last_image_if_none_is_known_to_be_good()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        _story.StartServing();
        _story.Containers[0] = _story.Containers[0].Exited(0);
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void After_a_crash_the_same_image_starts_again_even_with_boot_from_cache()
    {
        _story.Policy = _story.Policy with { BootFromCache = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().RestartAgent().CompleteInspection().PassProbes()
            .CompleteSecretsRead();
        _story.Crash().WaitOutBackoff();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void The_last_good_image_starts_if_the_image_that_ran_last_is_missing_on_disk()
    {
        RanAnImageOnTrial();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        for (var failure = 0; failure < 3; failure++)
        {
            _story.FailResolve().Advance(TimeSpan.FromSeconds(3));
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
