using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What somebody stopped on purpose stays stopped until somebody starts it, or the machine boots anew.</summary>
public class HoldTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_stop_request_succeeds_when_the_container_is_gone()
    {
        _story.StartServing().Request(RequestKind.Stop);
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        Assert.Null(_story.State.Requests.LastOutcome);
        _story.CompleteStop().CompleteInspections();
        Assert.Equal(
            (RequestKind.Stop, (Problem?)null),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Fact]
    public void A_stopped_image_on_trial_is_not_reported_as_a_candidate()
    {
        _story.StartServing();
        Assert.Equal("watch", RolloutPhaseName.Of(_story.State, _story.Policy));
        _story.Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        Assert.Equal("none", RolloutPhaseName.Of(_story.State, _story.Policy));
    }

    [Fact]
    public void A_stop_request_during_an_engine_outage_fails_but_takes_effect_afterwards()
    {
        _story.StartServing().Handle(at => new Event.EngineDisconnected(at)).FailInspection().Request(RequestKind.Stop);
        Assert.EndsWith(
            "The stop stays in effect: the app stops as soon as the engine answers.",
            _story.State.Requests.LastOutcome!.Problem!.Remedy,
            StringComparison.Ordinal);

        _story.Advance(TimeSpan.FromSeconds(5)).CompleteInspection();
        _story.CompleteStop().CompleteInspections();

        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        Assert.Equal(
            (RequestKind.Stop, (Problem?)null),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Fact]
    public void A_stopped_app_stays_stopped_when_a_new_image_is_pushed()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().ForgetStartedEffects().Tag = Sample.NewerImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(5));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void A_stopped_app_stays_stopped_when_the_agent_restarts()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().RestartAgent().CompleteInspection().CompleteSecretsRead()
            .CompleteResolve().CompleteFetch();
        Assert.False(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void A_start_request_during_an_engine_outage_fails()
    {
        _story.StartServing().Handle(at => new Event.EngineDisconnected(at)).FailInspection().Request(RequestKind.Start);
        Assert.Null(_story.State.Requests.LastOutcome);
        _story.FailInspection();

        Assert.EndsWith(
            "The app starts as soon as the engine answers.",
            _story.State.Requests.LastOutcome!.Problem!.Remedy,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_start_request_starts_a_stopped_app()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(RequestKind.Start);
        _story.CompleteSecretsRead().CompleteResolve().BecomeReady();
        Assert.Equal(
            (RequestKind.Start, (Problem?)null),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Fact]
    public void A_stop_request_during_a_start_stops_the_container_once_it_runs()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().Request(RequestKind.Stop);
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        _story.CompleteStart();
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_stop_request_ends_a_backoff()
    {
        _story.StartServing().Crash().Request(RequestKind.Stop);
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        Assert.Null(_story.State.Requests.LastOutcome!.Problem);
    }

    [Theory]
    [InlineData(RequestKind.Update)]
    [InlineData(RequestKind.Rollback)]
    [InlineData(RequestKind.Unquarantine)]
    internal void Nothing_else_can_be_asked_for_while_it_is_stopped(RequestKind kind)
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(kind);
        Assert.Equal("app-stopped", _story.State.Requests.LastOutcome!.Problem!.Code);
    }

    [Fact]
    public void A_container_stopped_with_docker_stays_stopped()
    {
        _story.StartServing().ForgetStartedEffects();
        StopWithDocker();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(1));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        Assert.Null(_story.State.Failures.Last);
    }

    [Fact]
    public void A_container_that_was_killed_or_exited_is_started_again()
    {
        _story.StartServing().Crash(137);
        Assert.Null(_story.State.Hold);
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
    }

    [Fact]
    public void A_container_that_a_stopping_engine_stopped_is_started_again()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id)).FailInspection();
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_container_seen_to_end_before_the_engine_went_away_is_started_again()
    {
        _story.StartServing();
        StopWithDocker();
        _story.Advance(TimeSpan.FromSeconds(5)).Handle(at => new Event.EngineDisconnected(at));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void An_older_docker_stop_survives_a_restart_of_the_engine()
    {
        _story.StartServing();
        StopWithDocker();
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(1)).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    [Fact]
    public void A_container_restarted_with_docker_is_replaced_because_it_lacks_its_secrets()
    {
        _story.StartServing();
        var stopped = _story.CurrentContainer;
        StopWithDocker();
        _story.ObserveContainers(stopped with { StartedAt = "2026-02-02T00:00:00Z" });
        Assert.Null(_story.State.Hold);
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_container_restarted_with_docker_while_no_agent_ran_is_replaced()
    {
        _story.StartServing();
        var running = _story.CurrentContainer;
        _story.Containers[0] = running with { StartedAt = "2026-02-02T00:00:00Z" };
        _story.RestartAgent().CompleteInspection();
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void The_late_end_of_the_agents_stop_after_its_restart_is_not_a_docker_stop()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        _story.PushAndUpdate(Sample.NewerImage);
        Assert.True(_story.IsPending<Effect.StopContainer>());
        _story.RestartAgent().CompleteInspection();   // it is alive: its time to end is not over
        ExitByStop(old);
        Assert.Null(_story.State.Hold);
        Assert.Null(_story.State.Failures.Last);
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch().BecomeReady();
        Assert.Equal(Sample.NewerImage, _story.CurrentContainer.Image);
    }

    [Fact]
    public void The_late_end_of_the_agents_stop_that_timed_out_is_not_a_docker_stop()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        _story.PushAndUpdate(Sample.NewerImage).FailStop(Sample.EngineUnreachable).Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal(old.Id, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        ExitByStop(old);
        Assert.Null(_story.State.Hold);
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
    }

    [Fact]
    public void A_container_that_survived_a_lost_stop_can_still_be_stopped_with_docker()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).RestartAgent();
        _story.Tag = Sample.NewImage;
        _story.AdvanceCompletingEffects(_story.Policy.RestartResetAfter + TimeSpan.FromMinutes(1));
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        StopWithDocker();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    [Fact]
    public void A_stop_is_saved_before_the_engine_is_asked()
    {
        _story.StartServing().DiskIsSlow = true;
        _story.Request(RequestKind.Stop);
        Assert.False(_story.IsPending<Effect.StopContainer>());
        _story.CompleteSaves();
        Assert.True(_story.IsPending<Effect.StopContainer>());
        Assert.True(_story.Memory.Runs[0].StopRequested);
    }

    [Fact]
    public void A_stop_does_not_wait_for_a_failing_disk()
    {
        _story.StartServing().DiskFails = true;
        _story.Request(RequestKind.Stop);
        Assert.True(_story.IsPending<Effect.StopContainer>());
    }

    /// <summary>
    /// The engine tells of the end of a stop as it does of any: first that it stirred, then that somebody had asked for it.
    /// </summary>
    private void ExitByStop(Container container)
    {
        _story.Containers.Clear();
        _story.Containers.Add(container.Exited(137));
        _story.Handle(at => new Event.EngineChanged(at)).Handle(at => new Event.ExternalStopRequested(at, container.Id))
            .CompleteInspections();
    }

    private void StopWithDocker()
    {
        var ended = _story.CurrentContainer.Exited(143);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id)).CompleteInspections();
    }
}
