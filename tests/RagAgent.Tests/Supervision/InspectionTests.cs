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
    public void An_inspection_that_began_before_an_operation_ended_is_repeated()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Handle(at => new Event.EngineChanged(at));
        _story.CompleteStart().Containers.Clear();
        _story.CompleteInspection();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        Assert.True(_story.IsPending<Effect.InspectEngine>());
    }

    [Fact]
    public void After_a_failed_start_the_engine_is_inspected_before_the_next_one()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        var release = _story.SinglePending<Effect.StartContainer>().Release;
        _story.FailStart(Sample.Refused).Advance(TimeSpan.FromSeconds(30));
        Assert.False(_story.IsPending<Effect.StartContainer>());

        _story.Containers.Add(Sample.RunningContainer("half", release));
        _story.CompleteInspection();
        Assert.Equal("half", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
    }

    [Fact]
    public void An_inspection_that_began_before_a_stop_failed_is_repeated_but_not_in_parallel()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead().CompleteFetch();
        _story.Handle(at => new Event.EngineChanged(at)).FailStop(Sample.EngineUnreachable).ForgetStartedEffects();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);

        _story.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, _story.CountStarted<Effect.InspectEngine>());

        _story.CompleteInspection();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.Equal(1, _story.CountStarted<Effect.InspectEngine>());
        _story.CompleteInspection();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
    }

    [Fact]
    public void An_inspection_that_began_before_a_start_failed_is_repeated()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Handle(at => new Event.EngineChanged(at)).FailStart(Sample.EngineUnreachable).Advance(TimeSpan.FromSeconds(30));
        _story.CompleteInspection();
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.False(_story.IsPending<Effect.StartContainer>());
    }
}
