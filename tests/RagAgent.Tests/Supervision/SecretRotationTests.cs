using RagAgent.Supervision;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A newer version of a secret is taken at a restart and at an update, and disturbs nothing in between.</summary>
public class SecretRotationTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_rotation_while_the_app_serves_disturbs_nothing()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().ForgetStartedEffects().SecretVersion = "2";
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(2));
        Assert.Equal(0, _story.CountStarted<Effect.ReadSecrets>() + _story.CountStarted<Effect.StopContainer>());
    }

    [Fact]
    public void A_restart_uses_the_newer_secret()
    {
        _story.StartServing().SecretVersion = "2";
        _story.Crash().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_restart_uses_the_secret_in_memory_if_it_cannot_be_read()
    {
        _story.StartServing().SecretVersion = "2";
        _story.Crash().FailSecretsRead().Advance(TimeSpan.FromSeconds(3)).CompleteInspections();
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_restart_waits_only_a_few_seconds_for_a_secret()
    {
        _story.StartServing().Crash().Advance(_story.Policy.FreshSecretsTimeout - TimeSpan.FromMilliseconds(1)).CompleteInspections();
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }
}
