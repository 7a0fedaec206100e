using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which stops of a container are an operator's wish, however late or often the engine reports them.</summary>
public class ExternalStopTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_stop_of_another_container_does_not_hide_the_stop_of_the_one_in_front()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        ReportStop(ended.Id);
        ReportStop("another-container");
        _story.SetContainers(ended).CompleteInspections();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    [Fact]
    public void A_stop_of_another_container_explains_no_crash_of_the_one_in_front()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(1);
        ReportStop("another-container");
        _story.ObserveContainers(ended);
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_reported_stop_does_not_make_an_engine_that_fails_count_as_reachable()
    {
        _story.StartServing().LoseEngine();
        ReportStop(_story.CurrentContainer.Id);
        Assert.False(_story.State.EngineIsReachable);
        Assert.False(_story.IsPending<Effect.InspectEngine>());
    }

    [Fact]
    public void A_stop_that_is_reported_after_the_end_does_not_make_an_engine_that_fails_count_as_reachable()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash().Handle(at => new Event.EngineChanged(at)).FailInspection(Sample.EngineSilent);
        ReportStop(id);
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
        Assert.False(_story.State.EngineIsReachable);
    }

    [Fact]
    public void An_app_that_is_stopped_before_it_serves_stays_stopped()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        var ended = _story.CurrentContainer.Exited(143);
        ReportStop(ended.Id);
        _story.SetContainers(ended).CompleteInspections();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    [Fact]
    public void A_late_report_of_the_agents_own_stop_does_not_turn_a_later_crash_into_a_hold()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        Assert.True(_story.IsPending<Effect.StopContainer>());
        _story.Tag = Sample.NewImage;
        _story.RestartAgent().CompleteInspections();
        ReportStop(_story.CurrentContainer.Id);
        _story.AdvanceCompletingEffects(_story.Policy.RestartResetAfter + TimeSpan.FromMinutes(1)).Crash();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_stop_that_is_reported_after_the_engine_came_back_is_the_engines_own()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(0).Handle(at => new Event.EngineDisconnected(at)).CompleteInspections();
        ReportStop(id);
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_second_report_of_a_stop_does_not_stop_the_container_that_was_started_since()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        _story.ObserveContainers(ended);
        ReportStop(ended.Id);
        _story.CompleteInspections().ObserveContainers(Sample.RunningContainer("other", Sample.Release(Sample.NewImage)));
        Assert.Null(_story.State.Hold);
        ReportStop(ended.Id);
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void The_engine_is_inspected_again_after_a_stop_that_was_reported_late()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).RereadSecrets();
        Assert.False(_story.IsPending<Effect.InspectEngine>());
        ReportStop(id);
        Assert.True(_story.IsPending<Effect.InspectEngine>());
    }

    [Fact]
    public void A_start_that_failed_since_stays_the_failure_that_people_see()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).WaitOutBackoff().FailStart(Sample.Refused);
        ReportStop(id);
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
        Assert.Equal(Sample.Refused, _story.State.Failures.Last?.Problem);
    }

    [Fact]
    public void A_start_that_failed_since_is_not_blamed_on_the_engine_that_went_away()
    {
        _story.StartServing().Crash(143).WaitOutBackoff().FailStart(Sample.Refused).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(Sample.Refused, _story.State.Failures.Last?.Problem);
    }

    [Fact]
    public void A_hold_by_an_operator_stays_theirs_when_someone_also_stops_the_container()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        ReportStop(ended.Id);
        _story.FailInspection(Sample.EngineSilent).Request(RequestKind.Stop);
        _story.SetContainers(ended).RecoverEngine();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        Assert.Equal(StopHold.Operator, _story.State.Hold);
    }

    [Fact]
    public void A_stop_that_the_engine_did_not_carry_out_before_it_went_away_explains_no_later_crash()
    {
        _story.StartServing();
        ReportStop(_story.CurrentContainer.Id);
        _story.Handle(at => new Event.EngineDisconnected(at)).CompleteInspections().Crash();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_strike_is_not_taken_back_after_a_newer_image_is_on_trial()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().Crash();
        _story.RestartAfterBackoff().PushAndUpdate(Sample.NewestImage).CompleteStop().CompleteInspections();
        Assert.Equal(Sample.NewestImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewestImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void Thirty_seconds_after_a_crash_a_reported_stop_no_longer_explains_it()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash().Advance(TimeSpan.FromSeconds(30));
        ReportStop(id);
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_stop_of_another_container_right_after_a_crash_does_not_hold_the_app()
    {
        _story.StartServing().Crash();
        ReportStop("another-container");
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_hold_by_an_operator_outlives_an_engine_that_goes_away_right_after()
    {
        _story.StartServing().Request(RequestKind.Stop).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(StopHold.Operator, _story.State.Hold);
    }

    [Fact]
    public void A_crash_that_is_no_strike_does_not_hide_a_strike_that_the_engine_caused()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage);
        var front = _story.CurrentContainer;
        _story.ObserveContainers(front, _story.State.Candidate!.Current!.Exited(1));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Images.Verdict);
        _story.ObserveContainers(front.Exited(1)).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    private void ReportStop(string id) => _story.Handle(at => new Event.ExternalStopRequested(at, id));
}
