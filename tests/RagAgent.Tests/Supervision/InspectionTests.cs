using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What the engine shows counts only when it was looked at after the last operation.</summary>
public class InspectionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_inspection_that_began_before_an_operation_ended_is_asked_again_and_not_believed()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        _story.Hears(at => new Event.EngineChanged(at));
        _story.Starts().Engine.Clear();
        _story.EngineAnswers();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        Assert.True(_story.Has<Effect.InspectEngine>());
    }

    [Fact]
    public void A_start_that_failed_is_looked_after_before_the_next_one_begins()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        var release = _story.PendingOne<Effect.StartContainer>().Release;
        _story.StartFails(Sample.Refused).Passes(TimeSpan.FromSeconds(30));
        Assert.False(_story.Has<Effect.StartContainer>());

        _story.Engine.Add(Sample.Running("half", release));
        _story.EngineAnswers();
        Assert.Equal("half", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
    }

    [Fact]
    public void An_inspection_that_began_before_a_stop_failed_is_not_believed_and_no_second_one_runs_beside_it()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer().ImageAnswers();
        _story.Hears(at => new Event.EngineChanged(at)).StopFails(Sample.Unreachable).Forget();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);

        _story.Passes(TimeSpan.FromSeconds(30));
        Assert.Equal(0, _story.CountBegun<Effect.InspectEngine>());

        _story.EngineAnswers();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.Equal(1, _story.CountBegun<Effect.InspectEngine>());
        _story.EngineAnswers();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
    }

    [Fact]
    public void An_inspection_that_began_before_a_start_failed_is_not_believed()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        _story.Hears(at => new Event.EngineChanged(at)).StartFails(Sample.Unreachable).Passes(TimeSpan.FromSeconds(30));
        _story.EngineAnswers();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.False(_story.Has<Effect.StartContainer>());
    }
}
