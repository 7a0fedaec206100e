using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What one answer of a probe leaves behind for the next.</summary>
public class ProbeAnswerTests
{
    private static readonly ProbeResult Short = new ProbeResult.Failed("too slow", UnderPressure: true);
    private static readonly ProbeResult Sick = new ProbeResult.Failed("it answers 500", UnderPressure: false);

    private readonly ContainerStory _story = new();

    [Fact]
    public void A_machine_that_was_short_once_while_the_app_started_earns_it_more_time()
    {
        Start();
        _story.CompleteProbe(Short).Advance(TimeSpan.FromSeconds(2)).CompleteProbe(Sick);
        Assert.True(Assert.IsType<ContainerState.Probing>(_story.State.Front).UnderPressure);
    }

    [Fact]
    public void A_machine_that_was_short_once_in_a_row_of_failures_earns_the_app_more_of_them()
    {
        _story.StartServing().Advance(_story.Policy.LivenessInterval).CompleteProbe(Short);
        _story.Advance(_story.Policy.LivenessInterval).CompleteProbe(Sick);
        Assert.True(Assert.IsType<ContainerState.Serving>(_story.State.Front).UnderPressure);
    }

    [Fact]
    public void An_app_that_has_failed_a_probe_gets_no_more_time_when_the_next_one_can_not_be_sent()
    {
        Start();
        var since = ((ContainerState.Probing)_story.State.Front).Since;
        _story.CompleteProbe(Sick).Advance(TimeSpan.FromSeconds(2)).CompleteProbe(new ProbeResult.NotSent("no file handles"));
        Assert.Equal(since, Assert.IsType<ContainerState.Probing>(_story.State.Front).Since);
    }

    [Fact]
    public void An_app_that_has_just_passed_its_gate_is_not_probed_before_the_liveness_interval_is_over()
    {
        _story.StartServing();
        Assert.False(_story.IsPending<Effect.Probe>());
        _story.Advance(_story.Policy.LivenessInterval - TimeSpan.FromMilliseconds(1));
        Assert.False(_story.IsPending<Effect.Probe>());
    }

    [Fact]
    public void An_app_that_outlived_a_lost_stop_for_a_minute_may_still_end_by_it()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        Assert.True(_story.IsPending<Effect.StopContainer>());
        _story.Tag = Sample.NewImage;
        _story.RestartAgent().AdvanceCompletingEffects(TimeSpan.FromMinutes(1)).Crash(143);
        Assert.Null(_story.State.Failures.Last);
        Assert.Null(_story.State.Hold);
    }

    private void Start() =>
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
}
