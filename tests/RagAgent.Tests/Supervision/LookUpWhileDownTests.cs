using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>While nothing serves, the next push may be what everyone waits for: the tag is looked up often.</summary>
public class LookUpWhileDownTests
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(10);
    private static readonly Problem TagMissing = new(ProblemCatalog.RegistryTagMissing, "There is no such tag.", "Push it.");

    private readonly ContainerStory _story = new();

    [Fact]
    public void A_tag_that_does_not_exist_yet_is_looked_up_every_10_seconds()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        for (var failure = 0; failure < 20; failure++)
        {
            _story.FailResolve(TagMissing).Advance(Often);
            Assert.True(_story.IsPending<Effect.ResolveTag>(), $"After failure {failure + 1} the tag is not looked up within {Often}.");
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(60)]
    public void While_the_newest_image_does_not_come_up_the_tag_is_looked_up_every_10_seconds(int? minutes)
    {
        _story.Policy = _story.Policy with { CheckInterval = minutes is { } every ? TimeSpan.FromMinutes(every) : null };
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspection();
        for (var lookUp = 0; lookUp < 3; lookUp++)
        {
            _story.Advance(Often);
            Assert.True(_story.IsPending<Effect.ResolveTag>());
            _story.CompleteResolve();
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(60)]
    public void Once_the_app_serves_the_configured_interval_applies_again(int? minutes)
    {
        _story.Policy = _story.Policy with { CheckInterval = minutes is { } every ? TimeSpan.FromMinutes(every) : null };
        _story.StartServing().AdvanceCompletingEffects(TimeSpan.FromMinutes(1)).ForgetStartedEffects();
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(30));
        Assert.Equal(0, _story.CountStarted<Effect.ResolveTag>());
    }

    [Fact]
    public void When_the_app_crashes_a_look_up_that_waits_for_its_delay_is_brought_forward()
    {
        _story.Policy = _story.Policy with { Retry = new Backoff(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10)) };
        _story.StartServing().RequestUpdate().CompleteSecretsRead().FailResolve().Crash();
        Assert.False(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(Often);
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_registry_that_asks_for_a_longer_wait_gets_it()
    {
        var throttled = new Problem(ProblemCatalog.RegistryThrottled, "Too many requests.", "") { RetryAfter = TimeSpan.FromMinutes(1) };
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve(throttled).Advance(TimeSpan.FromSeconds(59));
        Assert.False(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void While_the_app_is_stopped_on_purpose_the_tag_is_not_looked_up()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().ForgetStartedEffects();
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(10));
        Assert.Equal(0, _story.CountStarted<Effect.ResolveTag>());
    }
}
