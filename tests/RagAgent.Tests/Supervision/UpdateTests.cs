using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class UpdateTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_update_that_is_asked_for_looks_up_the_tag_and_reads_the_secrets_anew()
    {
        _story.Serves().Forget();
        Ask();
        Assert.Equal<Effect>([new Effect.ReadSecrets(), new Effect.ResolveTag()], _story.Begun);
    }

    [Fact]
    public void What_was_under_way_before_the_question_began_too_early_to_answer_it()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.Serves().Passes(TimeSpan.FromMinutes(5));
        Assert.True(_story.Has<Effect.ResolveTag>());
        _story.Passes(TimeSpan.FromSeconds(1));
        Ask();
        _story.SecretsAnswer().TagAnswers();
        Assert.Null(_story.State.LastOutcome);
        Assert.True(_story.Has<Effect.ResolveTag>());
        _story.TagAnswers();
        Assert.NotNull(_story.State.LastOutcome);
    }

    [Fact]
    public void It_ends_with_nothing_newer_when_the_same_release_is_what_should_serve()
    {
        _story.Serves();
        var id = Ask();
        _story.TagAnswers();
        Assert.Null(_story.State.LastOutcome);
        _story.SecretsAnswer();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: false, Sample.New.Digest, null), _story.State.LastOutcome);
        Assert.Null(_story.State.Request);
    }

    [Fact]
    public void It_ends_with_changed_when_the_newer_release_serves()
    {
        _story.Serves().Tag = Sample.Newer;
        var id = Ask();
        _story.TagAnswers().SecretsAnswer().ImageAnswers().Stops().EngineAnswers();
        Assert.Null(_story.State.LastOutcome);
        _story.ComesUp();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: true, Sample.Newer.Digest, null), _story.State.LastOutcome);
    }

    [Fact]
    public void A_new_version_of_a_secret_is_a_newer_release()
    {
        _story.Serves().SecretVersion = "2";
        Ask();
        _story.TagAnswers().SecretsAnswer().Stops().EngineAnswers().ComesUp();
        Assert.True(_story.State.LastOutcome?.Changed);
        Assert.Equal(Sample.Release(Sample.New, secrets: "2").Id, _story.Current.ReleaseId);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_registry_is_out_of_reach_and_what_serves_goes_on()
    {
        _story.Serves();
        var id = Ask();
        _story.SecretsAnswer().TagFails();
        Assert.Equal(new RequestOutcome(id, RequestKind.Update, Changed: false, null, Sample.Refused), _story.State.LastOutcome);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_secrets_are_out_of_reach()
    {
        _story.Serves();
        Ask();
        _story.TagAnswers().SecretsFail();
        Assert.Equal(Sample.Refused, _story.State.LastOutcome?.Problem);
    }

    [Fact]
    public void It_fails_with_the_problem_when_the_pull_fails()
    {
        _story.Serves().Tag = Sample.Newer;
        Ask();
        _story.SecretsAnswer().TagAnswers().ImageFails();
        Assert.Equal(Sample.Refused, _story.State.LastOutcome?.Problem);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void It_fails_when_the_engine_can_not_stop_the_old_one()
    {
        _story.Serves().Tag = Sample.Newer;
        Ask();
        _story.SecretsAnswer().TagAnswers().ImageAnswers().StopFails(Sample.Unreachable);
        Assert.Equal(Sample.Unreachable, _story.State.LastOutcome?.Problem);
    }

    [Fact]
    public void It_fails_when_the_release_crashes_and_there_is_no_other_image_and_the_agent_goes_on_trying()
    {
        _story.Serves().SecretVersion = "2";
        Ask();
        _story.SecretsAnswer().TagAnswers().Stops().EngineAnswers().Starts().EngineAnswers().Crashes();
        Assert.Equal("app-exited", _story.State.LastOutcome?.Problem?.Code);
        _story.ComesBack();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_crash_of_the_old_release_meanwhile_is_not_the_updates_failure()
    {
        _story.Serves().Tag = Sample.Newer;
        Ask();
        _story.SecretsAnswer().TagAnswers().Crashes();
        Assert.Null(_story.State.LastOutcome);
        _story.ImageAnswers().ComesBack();
        Assert.True(_story.State.LastOutcome?.Changed);
    }

    [Fact]
    public void A_second_question_joins_the_one_that_is_open_and_one_end_answers_both()
    {
        _story.Serves().Tag = Sample.Newer;
        var first = Ask();
        _story.TagAnswers().SecretsAnswer().ImageAnswers().Stops().EngineAnswers();
        var second = Ask();
        Assert.True(second > first);
        _story.TagAnswers().SecretsAnswer().ComesUp();
        Assert.Equal(new RequestOutcome(second, RequestKind.Update, Changed: true, Sample.Newer.Digest, null), _story.State.LastOutcome);
    }

    [Fact]
    public void An_operator_who_asks_waits_for_the_fresh_answers_and_not_for_a_delay_that_a_crash_earned()
    {
        _story.Serves().Crashes().Rereads();
        Ask();
        _story.TagAnswers();
        Assert.False(_story.Has<Effect.StartContainer>());
        _story.SecretsAnswer();
        Assert.True(_story.Has<Effect.StartContainer>());
    }

    [Fact]
    public void Nor_for_the_delay_of_a_look_up_that_failed()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagFails();
        Ask();
        Assert.True(_story.Has<Effect.ResolveTag>());
    }

    [Fact]
    public void A_newer_image_that_is_found_by_itself_waits_while_sessions_are_open_and_goes_on_when_they_close()
    {
        FindsNewerByItself(sessions: 2);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Hears(at => new Event.SessionsChanged(at, 1)).PassesQuietly(TimeSpan.FromHours(3));
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Hears(at => new Event.SessionsChanged(at, 0));
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void With_no_session_open_it_does_not_wait()
    {
        FindsNewerByItself(sessions: 0);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void When_told_not_to_wait_it_does_not_wait()
    {
        _story.Policy = _story.Policy with { WaitForIdle = false };
        FindsNewerByItself(sessions: 2);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void An_update_that_is_asked_for_does_not_wait_for_sessions()
    {
        FindsNewerByItself(sessions: 2);
        Ask();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.TagAnswers().SecretsAnswer();
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_change_of_the_configuration_is_applied_at_once_though_sessions_are_open()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.New, config: "config-0")));
        _story.Boots().EngineAnswers().ProvesItself().Hears(at => new Event.SessionsChanged(at, 3));
        _story.SecretsAnswer().TagAnswers().ImageAnswers();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    private long Ask()
    {
        _story.IsAskedToUpdate();
        return _story.State.Request!.Id;
    }

    private void FindsNewerByItself(int sessions)
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.Serves().Hears(at => new Event.SessionsChanged(at, sessions)).Tag = Sample.Newer;
        _story.PassesQuietly(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1)).Passes(TimeSpan.FromMilliseconds(1));
        _story.TagAnswers().ImageAnswers(pulled: 1);
    }
}
