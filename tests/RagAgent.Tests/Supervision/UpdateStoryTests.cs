using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class UpdateStoryTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_update_that_is_asked_for_looks_up_the_tag_and_reads_the_secrets_anew()
    {
        _story.StartServing().ForgetStartedEffects();
        RequestUpdate();
        Assert.Equal<Effect>([new Effect.ReadSecrets(), new Effect.ResolveTag()], _story.StartedEffects);
    }

    [Fact]
    public void What_was_under_way_before_the_question_began_too_early_to_answer_it()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().Advance(TimeSpan.FromMinutes(5));
        Assert.True(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromSeconds(1));
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.LastOutcome);
        Assert.True(_story.IsPending<Effect.ResolveTag>());
        _story.CompleteResolve();
        Assert.NotNull(_story.State.LastOutcome);
    }

    [Fact]
    public void It_ends_with_nothing_newer_when_the_same_release_is_what_should_serve()
    {
        _story.StartServing();
        var id = RequestUpdate();
        _story.CompleteResolve();
        Assert.Null(_story.State.LastOutcome);
        _story.CompleteSecretsRead();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: false, Sample.NewImage.Digest, null), _story.State.LastOutcome);
        Assert.Null(_story.State.Request);
    }

    [Fact]
    public void It_ends_with_changed_when_the_newer_release_serves()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        var id = RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteFetch().CompleteStop().CompleteInspection();
        Assert.Null(_story.State.LastOutcome);
        _story.BecomeReady();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: true, Sample.NewerImage.Digest, null), _story.State.LastOutcome);
    }

    [Fact]
    public void A_new_version_of_a_secret_is_a_newer_release()
    {
        _story.StartServing().SecretVersion = "2";
        RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteStop().CompleteInspection().BecomeReady();
        Assert.True(_story.State.LastOutcome?.Changed);
        Assert.Equal(Sample.Release(Sample.NewImage, secrets: "2").Id, _story.CurrentContainer.ReleaseId);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_registry_is_out_of_reach_and_what_serves_goes_on()
    {
        _story.StartServing();
        var id = RequestUpdate();
        _story.CompleteSecretsRead().FailResolve();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: false, null, Sample.Refused), _story.State.LastOutcome);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_secrets_are_out_of_reach()
    {
        _story.StartServing();
        RequestUpdate();
        _story.CompleteResolve().FailSecretsRead();
        Assert.Equal(Sample.Refused, _story.State.LastOutcome?.Problem);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_pull_fails()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().FailFetch();
        Assert.Equal(Sample.Refused, _story.State.LastOutcome?.Problem);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void It_fails_when_the_engine_can_not_stop_the_old_one()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStop(Sample.EngineUnreachable);
        Assert.Equal(Sample.EngineUnreachable, _story.State.LastOutcome?.Problem);
    }

    [Fact]
    public void It_fails_when_the_release_crashes_and_there_is_no_other_image_and_the_agent_goes_on_trying()
    {
        _story.StartServing().SecretVersion = "2";
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().CompleteStop().CompleteInspection().CompleteStart().CompleteInspection().Crash();
        Assert.Equal("app-exited", _story.State.LastOutcome?.Problem?.Code);
        _story.RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_crash_of_the_old_release_meanwhile_is_not_the_updates_failure()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        RequestUpdate();
        _story.CompleteSecretsRead().CompleteResolve().Crash();
        Assert.Null(_story.State.LastOutcome);
        _story.CompleteFetch().RestartAfterBackoff();
        Assert.True(_story.State.LastOutcome?.Changed);
    }

    [Fact]
    public void A_second_question_joins_the_one_that_is_open_and_one_end_answers_both()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        var first = RequestUpdate();
        _story.CompleteResolve().CompleteSecretsRead().CompleteFetch().CompleteStop().CompleteInspection();
        var second = RequestUpdate();
        Assert.True(second > first);
        _story.CompleteResolve().CompleteSecretsRead().BecomeReady();
        Assert.Equal(new RequestOutcome(second, RequestKind.Update, Changed: true, Sample.NewerImage.Digest, null), _story.State.LastOutcome);
    }

    [Fact]
    public void An_operator_who_asks_waits_for_the_fresh_answers_and_not_for_a_delay_that_a_crash_earned()
    {
        _story.StartServing().Crash().RereadSecrets();
        RequestUpdate();
        _story.CompleteResolve();
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.CompleteSecretsRead();
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void Nor_for_the_delay_of_a_look_up_that_failed()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve();
        RequestUpdate();
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_newer_image_that_is_found_by_itself_waits_while_sessions_are_open_and_goes_on_when_they_close()
    {
        FindNewerByCheck(sessions: 2);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Handle(at => new Event.SessionsChanged(at, 1)).AdvanceCompletingEffects(TimeSpan.FromHours(3));
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Handle(at => new Event.SessionsChanged(at, 0));
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void With_no_session_open_it_does_not_wait()
    {
        FindNewerByCheck(sessions: 0);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void When_told_not_to_wait_it_does_not_wait()
    {
        _story.Policy = _story.Policy with { WaitForIdle = false };
        FindNewerByCheck(sessions: 2);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void An_update_that_is_asked_for_does_not_wait_for_sessions()
    {
        FindNewerByCheck(sessions: 2);
        RequestUpdate();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.CompleteResolve().CompleteSecretsRead();
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_change_of_the_configuration_is_applied_at_once_though_sessions_are_open()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage, config: "config-0")));
        _story.Boot().CompleteInspection().PassProbes().Handle(at => new Event.SessionsChanged(at, 3));
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    private long RequestUpdate()
    {
        _story.RequestUpdate();
        return _story.State.Request!.Id;
    }

    private void FindNewerByCheck(int sessions)
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().Handle(at => new Event.SessionsChanged(at, sessions)).Tag = Sample.NewerImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1)).Advance(TimeSpan.FromMilliseconds(1));
        _story.CompleteResolve().CompleteFetch(pulled: 1);
    }
}
