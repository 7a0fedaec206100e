using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Whether visitors can come in is known to whoever asks for the status.</summary>
public class DoorTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void The_front_door_is_closed_without_a_problem_until_the_first_try() =>
        Assert.Equal(new FrontDoorState(IsOpen: false, null), _story.Boot().State.FrontDoor);

    [Fact]
    public void A_front_door_that_could_not_open_has_a_problem_until_it_opens()
    {
        _story.Boot().Handle(at => new Event.FrontDoorFailed(at, Sample.Refused));
        Assert.Equal(new FrontDoorState(IsOpen: false, Sample.Refused), _story.State.FrontDoor);
        _story.Handle(at => new Event.FrontDoorOpened(at));
        Assert.Equal(new FrontDoorState(IsOpen: true, null), _story.State.FrontDoor);
    }
}
