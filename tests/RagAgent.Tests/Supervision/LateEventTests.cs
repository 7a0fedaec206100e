using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>News that is late, doubled or about something else must not move the agent.</summary>
public class LateEventTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void The_end_of_another_operation_changes_nothing()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        var op = _story.SinglePending<Effect.StartContainer>().Operation;
        AssertNoChange(at => new Event.ContainerStarted(at, op + 1, Sample.RunningContainer("other", Sample.Release(Sample.NewImage))));
        AssertNoChange(at => new Event.StartFailed(at, op - 1, Sample.Refused));
        AssertNoChange(at => new Event.ContainerStopped(at, op));
        AssertNoChange(at => new Event.StopFailed(at, op, Sample.EngineUnreachable));
    }

    [Fact]
    public void A_doubled_end_of_a_start_changes_nothing()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        var op = _story.SinglePending<Effect.StartContainer>().Operation;
        _story.CompleteStart();
        AssertNoChange(at => new Event.ContainerStarted(at, op, _story.Containers[0]));
        AssertNoChange(at => new Event.StartFailed(at, op, Sample.Refused));
    }

    [Fact]
    public void A_doubled_end_of_a_stop_changes_nothing()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead().CompleteFetch();
        var op = _story.SinglePending<Effect.StopContainer>().Operation;
        _story.CompleteStop();
        AssertNoChange(at => new Event.ContainerStopped(at, op));
        AssertNoChange(at => new Event.StopFailed(at, op, Sample.EngineUnreachable));
    }

    [Fact]
    public void The_result_of_another_probe_changes_nothing()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart();
        var number = _story.SinglePending<Effect.Probe>().Operation;
        AssertNoChange(at => new Event.Probed(at, number - 1, Sample.ProbeOutcome(null)));
        AssertNoChange(at => new Event.Probed(at, number + 1, Sample.ProbeOutcome("it answers 500")));
        _story.FailProbe();
        AssertNoChange(at => new Event.Probed(at, number, Sample.ProbeOutcome(null)));
    }

    [Fact]
    public void A_result_that_nothing_waits_for_changes_nothing()
    {
        _story.Policy = _story.Policy with { Idle = new IdlePolicy() };
        _story.StartServing();
        AssertNoChange(at => new Event.EngineInspected(at, new Inventory([], "20.10")));
        AssertNoChange(at => new Event.EngineFailed(at, Sample.EngineUnreachable));
        AssertNoChange(at => new Event.SecretsRead(at, Sample.Secrets("2")));
        AssertNoChange(at => new Event.SecretsFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.TagResolved(at, Sample.ResolutionOf(Sample.NewerImage)));
        AssertNoChange(at => new Event.TagFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.ImageReady(at, new FetchedImage(Sample.NewerImage.Digest, 1)));
        AssertNoChange(at => new Event.ImageFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.PullProgressed(at, new PullProgress(0.5, 1, 2)));
        AssertNoChange(at => new Event.FallbackReady(at, Sample.NewImage));
        AssertNoChange(at => new Event.FallbackFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.CleanupFinished(at, new ImageCleanupResult(1, 1000)));
        AssertNoChange(at => new Event.CleanupFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.StateSaved(at, PersistedState.Empty));
        AssertNoChange(at => new Event.SaveFailed(at, Sample.Refused));
        AssertNoChange(at => new Event.InstanceStopAccepted(at, "i-1"));
        AssertNoChange(at => new Event.InstanceStopFailed(at, Sample.Refused));
    }

    [Fact]
    public void A_late_cleanup_result_does_not_retry_a_pull_that_found_the_disk_full()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteSecretsRead().CompleteResolve()
            .FailFetch(new Problem(ProblemCatalog.DiskFull, "It does not fit.", "Make room.")).CompleteImageCleanup();
        AssertNoChange(at => new Event.CleanupFinished(at, new ImageCleanupResult(1, 1000)));
    }

    [Fact]
    public void An_event_from_before_does_not_turn_the_clock_back()
    {
        _story.StartServing().AdvanceCompletingEffects(TimeSpan.FromSeconds(5));
        var now = _story.State.Now;
        _story.Handle(_ => new Event.SessionsChanged(Moment.Zero, Sample.OpaqueSessions(1)));
        Assert.Equal(now, _story.State.Now);
    }

    private void AssertNoChange(Func<Moment, Event> news)
    {
        var (before, begun) = (_story.State, _story.StartedEffects.Count);
        _story.Handle(news);
        Assert.Equal(before, _story.State);
        Assert.Equal(begun, _story.StartedEffects.Count);
    }
}
