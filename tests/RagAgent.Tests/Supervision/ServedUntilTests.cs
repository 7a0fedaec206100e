using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Since when the app does not serve any more: who waits for it at the front door counts from there.</summary>
public class ServedUntilTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void The_end_of_serving_is_unknown_before_the_app_first_serves_and_while_it_serves()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.LastServed);

        var served = new ContainerStory();
        served.StartServing();
        Assert.Null(served.State.LastServed);
    }

    [Fact]
    public void The_end_of_serving_stays_the_same_until_the_app_serves_again()
    {
        _story.StartServing().Advance(TimeSpan.FromSeconds(7));

        _story.PushAndUpdate(Sample.NewerImage);
        var before = _story.Now;
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
        Assert.Equal(before, _story.State.LastServed);
        _story.Advance(TimeSpan.FromSeconds(3));
        _story.CompleteStop().CompleteInspections().CompleteStart().CompleteInspections();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        Assert.Equal(before, _story.State.LastServed);

        _story.PassProbe().PassProbe();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Null(_story.State.LastServed);
    }
}
