using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class UpdateStoryTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_update_request_resolves_the_tag_and_reads_the_secrets_again()
    {
        _story.StartServing().ForgetStartedEffects();
        RequestUpdate();
        Assert.Equal<Effect>([new Effect.ReadSecrets(), new Effect.ResolveTag()], _story.StartedEffects);
    }

    [Fact]
    public void Work_that_began_before_an_update_request_does_not_answer_it()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().Advance(TimeSpan.FromMinutes(5));
        Assert.True(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromSeconds(1));
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.Requests.LastOutcome);
        Assert.True(_story.IsPending<Effect.ResolveTag>());
        _story.CompleteResolve();
        Assert.NotNull(_story.State.Requests.LastOutcome);
    }

    [Fact]
    public void An_update_reports_no_change_when_the_desired_release_already_serves()
    {
        _story.StartServing();
        var id = RequestUpdate();
        _story.CompleteResolve();
        Assert.Null(_story.State.Requests.LastOutcome);
        _story.CompleteSecretsRead();
        Assert.Equal(
            new RequestOutcome(id, RequestKind.Update, Changed: false, Sample.NewImage.Digest, null),
            _story.State.Requests.LastOutcome);
        Assert.Null(_story.State.Requests.Current);
    }

    [Fact]
    public void An_update_reports_a_change_when_the_newer_release_serves()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        var id = RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteFetch().CompleteStop().CompleteInspection();
        Assert.Null(_story.State.Requests.LastOutcome);
        _story.BecomeReady();
        Assert.Equal(
            new RequestOutcome(id, RequestKind.Update, Changed: true, Sample.NewerImage.Digest, null),
            _story.State.Requests.LastOutcome);
    }

    [Fact]
    public void A_new_version_of_a_secret_is_a_newer_release()
    {
        _story.StartServing().SecretVersion = "2";
        RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteStop().CompleteInspection().BecomeReady();
        Assert.True(_story.State.Requests.LastOutcome?.Changed);
        Assert.Equal(Sample.Release(Sample.NewImage, secrets: "2").Id, _story.CurrentContainer.ReleaseId);
    }

    [Fact]
    public void An_update_fails_when_the_registry_cannot_be_reached_and_the_app_keeps_serving()
    {
        _story.StartServing();
        var id = RequestUpdate();
        _story.CompleteSecretsRead().FailResolve();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: false, null, Sample.Refused), _story.State.Requests.LastOutcome);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void An_update_fails_when_the_secrets_cannot_be_read()
    {
        _story.StartServing();
        RequestUpdate();
        _story.CompleteResolve().FailSecretsRead();
        Assert.Equal(Sample.Refused, _story.State.Requests.LastOutcome?.Problem);
    }

    [Fact]
    public void An_update_fails_when_the_pull_fails()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().FailFetch();
        Assert.Equal(Sample.Refused, _story.State.Requests.LastOutcome?.Problem);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void An_update_fails_when_the_engine_cannot_stop_the_old_container()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStop(Sample.EngineUnreachable);
        Assert.Equal(Sample.EngineUnreachable, _story.State.Requests.LastOutcome?.Problem);
    }

    [Fact]
    public void An_update_fails_when_the_only_release_crashes_and_the_agent_keeps_trying()
    {
        _story.StartServing().SecretVersion = "2";
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().CompleteStop().CompleteInspection().CompleteStart().CompleteInspection().Crash();
        Assert.Equal("app-exited", _story.State.Requests.LastOutcome?.Problem?.Code);
        _story.RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_crash_of_the_old_release_does_not_fail_an_update()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().Crash();
        Assert.Null(_story.State.Requests.LastOutcome);
        _story.CompleteFetch().RestartAfterBackoff();
        Assert.True(_story.State.Requests.LastOutcome?.Changed);
    }

    [Fact]
    public void A_second_update_request_joins_the_first_and_one_outcome_answers_both()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        var first = RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteFetch().CompleteStop().CompleteInspection();
        var second = RequestUpdate();
        Assert.True(second > first);
        _story.CompleteResolve().CompleteSecretsRead().BecomeReady();
        Assert.Equal(
            new RequestOutcome(second, RequestKind.Update, Changed: true, Sample.NewerImage.Digest, null),
            _story.State.Requests.LastOutcome);
    }

    [Fact]
    public void An_update_waits_for_fresh_values_but_not_for_a_backoff_after_a_crash()
    {
        _story.StartServing().Crash().RereadSecrets();
        RequestUpdate();
        _story.CompleteResolve();
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.CompleteSecretsRead();
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void An_update_does_not_wait_for_the_delay_of_a_failed_resolve()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve();
        RequestUpdate();
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_newer_image_found_by_the_agent_waits_until_all_sessions_are_closed()
    {
        FindNewerByCheck(sessions: 2);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(1))).AdvanceCompletingEffects(TimeSpan.FromHours(3));
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(0)));
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void A_newer_image_does_not_wait_if_no_session_is_open()
    {
        FindNewerByCheck(sessions: 0);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_newer_image_does_not_wait_for_sessions_if_configured_not_to()
    {
        _story.Policy = _story.Policy with { WaitForIdle = false };
        FindNewerByCheck(sessions: 2);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void An_update_request_does_not_wait_for_sessions()
    {
        FindNewerByCheck(sessions: 2);
        RequestUpdate();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.CompleteResolve().CompleteSecretsRead();
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_changed_configuration_is_applied_at_once_despite_open_sessions()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage, config: "config-0")));
        _story.Boot().CompleteInspection().PassProbes().Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(3)));
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    private long RequestUpdate()
    {
        _story.RequestUpdate();
        return _story.State.Requests.Current!.Id;
    }

    private void FindNewerByCheck(int sessions)
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(sessions))).Tag = Sample.NewerImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1)).Advance(TimeSpan.FromMilliseconds(1));
        _story.CompleteResolve().CompleteFetch(pulled: 1);
    }
}
