using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>News that is late, doubled or about something else must not move the agent.</summary>
public class LateNewsTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void The_end_of_another_operation_changes_nothing()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        var op = _story.PendingOne<Effect.StartContainer>().Operation;
        ChangesNothing(at => new Event.ContainerStarted(at, op + 1, Sample.Running("other", Sample.Release(Sample.New))));
        ChangesNothing(at => new Event.StartFailed(at, op - 1, Sample.Refused));
        ChangesNothing(at => new Event.ContainerStopped(at, op));
        ChangesNothing(at => new Event.StopFailed(at, op, Sample.Unreachable));
    }

    [Fact]
    public void A_doubled_end_of_a_start_changes_nothing()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        var op = _story.PendingOne<Effect.StartContainer>().Operation;
        _story.Starts();
        ChangesNothing(at => new Event.ContainerStarted(at, op, _story.Engine[0]));
        ChangesNothing(at => new Event.StartFailed(at, op, Sample.Refused));
    }

    [Fact]
    public void A_doubled_end_of_a_stop_changes_nothing()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer().ImageAnswers();
        var op = _story.PendingOne<Effect.StopContainer>().Operation;
        _story.Stops();
        ChangesNothing(at => new Event.ContainerStopped(at, op));
        ChangesNothing(at => new Event.StopFailed(at, op, Sample.Unreachable));
    }

    [Fact]
    public void The_answer_of_another_probe_changes_nothing()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().Starts();
        var number = _story.PendingOne<Effect.Probe>().Operation;
        ChangesNothing(at => new Event.Probed(at, number - 1, Sample.Found(null)));
        ChangesNothing(at => new Event.Probed(at, number + 1, Sample.Found("it answers 500")));
        _story.ProbeFails();
        ChangesNothing(at => new Event.Probed(at, number, Sample.Found(null)));
    }

    [Fact]
    public void An_answer_that_nobody_waits_for_changes_nothing()
    {
        _story.Serves();
        ChangesNothing(at => new Event.EngineInspected(at, new Inventory([], "20.10")));
        ChangesNothing(at => new Event.EngineFailed(at, Sample.Unreachable));
        ChangesNothing(at => new Event.SecretsRead(at, Sample.Secrets("2")));
        ChangesNothing(at => new Event.SecretsFailed(at, Sample.Refused));
        ChangesNothing(at => new Event.TagResolved(at, Sample.Tagged(Sample.Newer)));
        ChangesNothing(at => new Event.TagFailed(at, Sample.Refused));
        ChangesNothing(at => new Event.ImageReady(at, new FetchedImage(Sample.Newer.Digest, 1)));
        ChangesNothing(at => new Event.ImageFailed(at, Sample.Refused));
        ChangesNothing(at => new Event.PullProgressed(at, new PullProgress(0.5, 1, 2)));
    }

    [Fact]
    public void An_event_from_before_does_not_turn_the_clock_back()
    {
        _story.Serves().PassesQuietly(TimeSpan.FromSeconds(5));
        var now = _story.State.Now;
        _story.Hears(_ => new Event.SessionsChanged(Moment.Zero, 1));
        Assert.Equal(now, _story.State.Now);
    }

    private void ChangesNothing(Func<Moment, Event> news)
    {
        var (before, begun) = (_story.State, _story.Begun.Count);
        _story.Hears(news);
        Assert.Equal(before, _story.State);
        Assert.Equal(begun, _story.Begun.Count);
    }
}
