using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary><c>ragagent rollback</c> and <c>ragagent unquarantine</c>.</summary>
public class OperatorRequestTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_rollback_runs_the_previous_image_and_quarantines_the_newest()
    {
        RollBack();
        Assert.Equal(Sample.NewImage, _story.CurrentContainer.Image);
        Assert.Equal(
            new RequestOutcome(_story.State.Requests.LastOutcome!.Id, RequestKind.Rollback, Changed: true, Sample.NewImage.Digest, null),
            _story.State.Requests.LastOutcome);
        _story.PassWatch();
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
    }

    [Fact]
    public void If_the_image_rolled_back_to_fails_the_newest_runs_again()
    {
        RollBack();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Crash().RereadSecrets().WaitOutBackoff().CompleteStart().CompleteInspections();
        }
        Assert.Equal(Sample.NewerImage, _story.CurrentContainer.Image);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void A_rollback_without_a_previous_image_fails()
    {
        _story.StartServing().PassWatch().Request(RequestKind.Rollback);
        Assert.Equal("no-last-good", _story.State.Requests.LastOutcome!.Problem!.Code);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_second_rollback_fails_because_the_newest_is_already_quarantined()
    {
        RollBack().Request(RequestKind.Rollback);
        Assert.Equal("image-quarantined", _story.State.Requests.LastOutcome!.Problem!.Code);
        Assert.EndsWith("a rollback goes one step back.", _story.State.Requests.LastOutcome!.Problem!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Unquarantine_runs_the_newest_image_again()
    {
        RollBack().Request(RequestKind.Unquarantine).CompleteSecretsRead().CompleteResolve();
        if (_story.IsPending<Effect.FetchImage>())
        {
            _story.CompleteFetch();
        }
        _story.CompleteSwap();
        Assert.Equal(Sample.NewerImage, _story.CurrentContainer.Image);
        Assert.True(_story.State.Requests.LastOutcome!.Changed);
    }

    [Fact]
    public void Unquarantine_fails_if_no_image_is_quarantined()
    {
        _story.StartServing().Request(RequestKind.Unquarantine);
        Assert.Equal("nothing-quarantined", _story.State.Requests.LastOutcome!.Problem!.Code);
    }

    [Fact]
    public void A_rollback_survives_a_restart_of_the_agent()
    {
        RollBack().RestartAgent().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.IsPending<Effect.StopContainer>());
    }

    [Fact]
    public void A_rollback_begins_in_the_first_round_and_without_strikes()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Rollback);
        var verdict = Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
        Assert.Equal((Sample.NewerImage, 0, 1, true), (verdict.Image, verdict.Strikes, verdict.Round, verdict.ByOperator));
    }

    [Fact]
    public void A_rollback_before_the_tag_is_resolved_quarantines_the_running_image()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().RestartAgent().CompleteInspection();
        _story.Request(RequestKind.Rollback);
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict).Image);
    }

    [Fact]
    public void A_rollback_before_anything_runs_quarantines_the_image_that_ran_last()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.Containers[0] = _story.Containers[0].Exited(0);
        _story.RestartAgent().CompleteInspection().Request(RequestKind.Rollback);
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict).Image);
    }

    [Fact]
    public void A_rollback_that_only_drops_a_candidate_still_counts_as_a_change()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections()
            .Request(RequestKind.Rollback);
        var outcome = _story.State.Requests.LastOutcome!;
        Assert.Equal((RequestKind.Rollback, true, null), (outcome.Kind, outcome.Changed, outcome.Problem));
        Assert.Equal(Sample.NewImage.Digest, outcome.Digest);
    }

    [Fact]
    public void With_an_undecided_verdict_a_rollback_fails_and_an_update_tries_the_newest_again()
    {
        BecomesUndecided();
        _story.Request(RequestKind.Rollback);
        Assert.Equal("image-undecided", _story.State.Requests.LastOutcome!.Problem!.Code);
        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);

        _story.Request(RequestKind.Update);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Theory]
    [InlineData(RequestKind.Rollback, "The newest image sha256:0123456789ab is already quarantined, and the one before it runs: a rollback goes one step back.")]
    [InlineData(RequestKind.Update, "The newest image sha256:0123456789ab is quarantined, and the last good one runs instead: ")]
    internal void An_image_that_was_set_aside_is_named_by_the_start_of_its_digest(RequestKind kind, string words)
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.Image("0123456789abcdef")).CompleteSwap();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Crash().RereadSecrets().WaitOutAnyBackoff().BecomeReady();
        }
        _story.PassWatch().Request(kind).CompleteAcquisition();
        Assert.StartsWith(words, _story.State.Requests.LastOutcome!.Problem!.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "The app is stopped, by 'ragagent stop'.")]
    [InlineData(false, "The app is stopped, by 'docker stop'.")]
    public void An_update_of_a_stopped_app_fails_and_says_who_stopped_it(bool byOperator, string words)
    {
        _story.StartServing();
        if (byOperator)
        {
            _story.Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        }
        else
        {
            var id = _story.CurrentContainer.Id;
            _story.Containers[0] = _story.Containers[0].Exited(143);
            _story.Handle(at => new Event.ExternalStopRequested(at, id)).CompleteInspections();
        }
        _story.Request(RequestKind.Update);
        Assert.Equal(words, _story.State.Requests.LastOutcome!.Problem!.What);
    }

    [Fact]
    public void Requests_are_numbered_one_after_the_other()
    {
        _story.StartServing().Request(RequestKind.Update);
        var first = _story.State.Requests.Current!.Id;
        _story.Request(RequestKind.Update);
        Assert.Equal(first + 1, _story.State.Requests.Current!.Id);
        Assert.Equal(first + 1, _story.State.LastOperation);
    }

    [Fact]
    public void Two_updates_in_a_row_compare_with_what_served_before_the_first()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        _story.PushAndUpdate(Sample.NewImage).CompleteStart().CompleteInspections().CompleteSwap();
        Assert.Equal((RequestKind.Update, false), (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Changed));
    }

    [Fact]
    public void A_start_that_overtakes_a_stop_compares_with_nothing_that_served()
    {
        _story.StartServing().Request(RequestKind.Stop).Request(RequestKind.Start).CompleteStop().CompleteInspections()
            .CompleteSecretsRead().CompleteResolve().BecomeReady();
        Assert.Equal((RequestKind.Start, true), (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Changed));
    }

    [Fact]
    public void A_start_fails_with_the_secrets_that_cannot_be_read()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(RequestKind.Start)
            .FailSecretsRead(Sample.EngineSilent);
        Assert.Equal(
            (RequestKind.Start, Sample.EngineSilent),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_first_start_fails_with_the_registry_that_does_not_answer_or_the_pull_that_fails(bool pull)
    {
        _story.Boot().CompleteInspection().Request(RequestKind.Start).CompleteSecretsRead();
        // The first answer was asked for before the start was.
        _ = pull ? _story.CompleteResolve().FailFetch(Sample.EngineSilent) : _story.FailResolve().FailResolve(Sample.EngineSilent);
        Assert.Equal(
            (RequestKind.Start, Sample.EngineSilent),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Fact]
    public void A_start_does_not_fail_with_the_registry_while_there_is_an_image_on_disk()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(RequestKind.Start)
            .CompleteSecretsRead().FailResolve();
        Assert.NotNull(_story.State.Requests.Current);
        _story.BecomeReady();
        Assert.Equal(
            (RequestKind.Start, (Problem?)null),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem));
    }

    [Fact]
    public void A_start_fails_with_the_crash_of_the_started_container()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(RequestKind.Start)
            .CompleteSecretsRead().CompleteResolve();
        _story.CompleteStart().CompleteInspections().Crash();
        Assert.Equal(
            (RequestKind.Start, "app-exited"),
            (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem?.Code));
    }

    [Fact]
    public void An_update_does_not_wait_for_the_delay_of_a_pull_that_failed()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch();
        Assert.False(_story.IsPending<Effect.FetchImage>());
        _story.Request(RequestKind.Update);
        Assert.True(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void An_update_does_not_wait_for_the_delay_of_a_candidate_that_failed()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.IsType<ContainerState.Starting>(_story.State.Candidate);
    }

    [Fact]
    public void A_rollback_succeeds_although_neither_the_tag_nor_the_secrets_can_be_looked_up()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.RequestUpdate().FailSecretsRead().FailResolve().Request(RequestKind.Rollback);
        Assert.Equal(RequestKind.Rollback, _story.State.Requests.Current?.Kind);
        _story.CompleteSwap();
        var outcome = _story.State.Requests.LastOutcome!;
        Assert.Equal((RequestKind.Rollback, true, null), (outcome.Kind, outcome.Changed, outcome.Problem));
        Assert.Equal(Sample.NewImage.Digest, outcome.Digest);
    }

    [Fact]
    public void A_rollback_does_not_wait_for_a_registry_that_never_answers()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead().PassProbes().Request(RequestKind.Rollback).CompleteSwap();
        Assert.Null(_story.State.Tag.Value);
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        var outcome = _story.State.Requests.LastOutcome!;
        Assert.Equal((RequestKind.Rollback, (Problem?)null), (outcome.Kind, outcome.Problem));
    }

    [Fact]
    public void A_rollback_without_secrets_in_memory_fails_with_them_and_stays_in_effect()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.RestartAgent().CompleteInspection().CompleteResolve().FailSecretsRead().PassProbes();
        _story.Request(RequestKind.Rollback).FailSecretsRead();
        var problem = _story.State.Requests.LastOutcome!.Problem!;
        Assert.Equal(Sample.Refused.What, problem.What);
        Assert.EndsWith(
            "The rollback stays in effect: the last good image runs as soon as this works.", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rollback_fails_with_the_last_good_image_that_is_missing_and_can_not_be_fetched()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.Request(RequestKind.Rollback).CompleteStop().CompleteInspections().FailStart(Sample.ImageMissing);
        Assert.Equal((RequestKind.Rollback, "image-missing"), (_story.State.Requests.LastOutcome!.Kind, _story.State.Requests.LastOutcome.Problem!.Code));
    }

    private void BecomesUndecided()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap();
        for (var crash = 0; crash < 6; crash++)
        {
            _story.Crash().RereadSecrets().WaitOutAnyBackoff().BecomeReady();
        }
        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);
    }

    private ContainerStory RollBack()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        return _story.Request(RequestKind.Rollback).CompleteSwap();
    }
}
