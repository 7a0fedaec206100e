using RagAgent.Supervision;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>Longer steps of a story, made of the short ones.</summary>
internal static class ContainerStorySteps
{
    /// <summary>A candidate with the image is started beside the one that serves, and hasn't been probed yet.</summary>
    public static ContainerStory StartCandidate(this ContainerStory story, ImageName image) =>
        story.PushAndUpdate(image).CompleteStart().CompleteInspections();

    /// <summary>A candidate with the image has taken over; the container before it is draining.</summary>
    public static ContainerStory SwapToCandidate(this ContainerStory story, ImageName image) => story.StartCandidate(image).PassProbes();

    /// <summary>The old container is gone after a swap.</summary>
    public static ContainerStory RetireOld(this ContainerStory story) => story.CompleteDrain().CompleteStop().CompleteInspections();

    /// <summary>The containers are what the engine has, and an inspection that is already wanted shows them.</summary>
    public static ContainerStory SetContainers(this ContainerStory story, params Container[] containers)
    {
        story.Containers.Clear();
        story.Containers.AddRange(containers);
        return story;
    }

    /// <summary>An inspection fails: the agent knows no longer whether the engine works.</summary>
    public static ContainerStory LoseEngine(this ContainerStory story) =>
        (story.IsPending<Effect.InspectEngine>() ? story : story.Handle(at => new Event.EngineChanged(at))).FailInspection();

    /// <summary>The engine answers again, at the next time it is asked.</summary>
    public static ContainerStory RecoverEngine(this ContainerStory story)
    {
        while (!story.IsPending<Effect.InspectEngine>())
        {
            story.Advance(TimeSpan.FromSeconds(1));
        }
        return story.CompleteInspections();
    }
}
