using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class BootStoryTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void Independent_work_begins_at_once_at_boot()
    {
        _story.Boot();
        Assert.Equal<Effect>([new Effect.InspectEngine(), new Effect.ReadSecrets(), new Effect.ResolveTag()], _story.StartedEffects);
    }

    [Fact]
    public void The_pull_begins_when_the_tag_is_known_and_does_not_wait_for_the_secrets()
    {
        _story.Boot().CompleteInspection().CompleteResolve();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.FetchImage>().Resolution.Image);
        Assert.True(_story.IsPending<Effect.ReadSecrets>());
    }

    [Fact]
    public void The_pull_waits_for_the_engine()
    {
        _story.Boot().CompleteResolve();
        Assert.False(_story.IsPending<Effect.FetchImage>());
        _story.CompleteInspection();
        Assert.True(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void The_container_starts_when_the_secrets_arrive_after_the_image()
    {
        _story.Boot().CompleteInspection().CompleteResolve().CompleteFetch();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        _story.CompleteSecretsRead();
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void The_container_starts_when_the_image_arrives_after_the_secrets()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        _story.CompleteFetch();
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void Nothing_starts_before_the_first_inspection_of_the_engine()
    {
        _story.Boot().CompleteSecretsRead().CompleteResolve().Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void Failed_work_is_retried_forever_with_bounded_growing_delays()
    {
        _story.Boot();
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 12; i++)
        {
            _story.FailSecretsRead();
            var waiting = Assert.IsType<FetchState.Waiting>(_story.State.Secrets.State);
            waits.Add(waiting.Until - _story.Now);
            _story.Advance(waits[^1]);
            Assert.True(_story.IsPending<Effect.ReadSecrets>());
        }
        Assert.InRange(waits[0], TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(1.2));
        Assert.InRange(waits[3], TimeSpan.FromSeconds(6.4), TimeSpan.FromSeconds(9.6));
        Assert.All(waits[5..], wait => Assert.InRange(wait, TimeSpan.FromSeconds(24), TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void The_tag_is_resolved_again_at_the_configured_interval()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromMinutes(21));
        Assert.Equal(4, _story.CountStarted<Effect.ResolveTag>());
        Assert.Equal(0, _story.CountStarted<Effect.ReadSecrets>());
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>());
    }

    [Fact]
    public void The_engine_is_inspected_regularly_without_an_event()
    {
        _story.StartServing().ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromMinutes(10.5));
        Assert.Equal(10, _story.CountStarted<Effect.InspectEngine>());
    }
}
