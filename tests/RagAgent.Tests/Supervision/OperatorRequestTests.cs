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
    public void A_rollback_runs_the_image_before_the_newest_and_sets_the_newest_aside()
    {
        RollBack();
        Assert.Equal(Sample.NewImage, _story.CurrentContainer.Image);
        Assert.Equal(new RequestOutcome(_story.State.LastOutcome!.Id, RequestKind.Rollback, Changed: true, Sample.NewImage.Digest, null), _story.State.LastOutcome);
        _story.PassWatch();
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
    }

    [Fact]
    public void When_that_one_fails_the_newest_is_run_again_for_it_did_serve()
    {
        RollBack();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Crash().RereadSecrets().WaitOutBackoff().CompleteStart().CompleteInspections();
        }
        Assert.Equal(Sample.NewerImage, _story.CurrentContainer.Image);
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void Without_an_image_before_it_there_is_nothing_to_go_back_to()
    {
        _story.StartServing().PassWatch().Request(RequestKind.Rollback);
        Assert.Equal("no-last-good", _story.State.LastOutcome!.Problem!.Code);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_second_rollback_says_that_the_newest_is_set_aside_already()
    {
        RollBack().Request(RequestKind.Rollback);
        Assert.Equal("image-quarantined", _story.State.LastOutcome!.Problem!.Code);
        Assert.EndsWith("a rollback goes one step back.", _story.State.LastOutcome.Problem.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_chance_runs_the_newest_again()
    {
        RollBack().Request(RequestKind.Unquarantine).CompleteSecretsRead().CompleteResolve();
        if (_story.IsPending<Effect.FetchImage>())
        {
            _story.CompleteFetch();
        }
        _story.CompleteSwap();
        Assert.Equal(Sample.NewerImage, _story.CurrentContainer.Image);
        Assert.True(_story.State.LastOutcome!.Changed);
    }

    [Fact]
    public void Where_nothing_is_set_aside_there_is_nothing_to_do()
    {
        _story.StartServing().Request(RequestKind.Unquarantine);
        Assert.Equal("nothing-quarantined", _story.State.LastOutcome!.Problem!.Code);
    }

    [Fact]
    public void What_was_rolled_back_stays_so_after_a_restart_of_the_agent()
    {
        RollBack().RestartAgent().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.IsPending<Effect.StopContainer>());
    }

    private ContainerStory RollBack()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        return _story.Request(RequestKind.Rollback).CompleteSecretsRead().CompleteResolve().CompleteSwap();
    }
}
