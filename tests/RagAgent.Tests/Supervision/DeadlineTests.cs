using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What is due happens on time although nothing else wakes the agent, and what can't begin doesn't keep it awake.</summary>
public class DeadlineTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Neither a probe nor an inspection comes in between.</summary>
    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        LivenessInterval = TimeSpan.FromHours(10),
        InspectInterval = TimeSpan.FromHours(10),
    });

    [Fact]
    public void Crashes_are_forgotten_on_time_when_nothing_else_happens()
    {
        _story.StartServing().PassWatch().Crash().RestartAfterBackoff().CompleteInspections();
        _story.Advance(_story.Policy.RestartResetAfter - Second);
        Assert.Equal(1, _story.State.Failures.Crashes);
        _story.Advance(Second);
        Assert.Equal(0, _story.State.Failures.Crashes);
    }

    [Fact]
    public void The_watch_ends_on_time_when_nothing_else_happens()
    {
        _story.StartServing().CompleteInspections().Advance(_story.Policy.Watch - Second);
        Assert.Empty(_story.State.Images.KnownGood);
        _story.Advance(Second).CompleteInspections();
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void After_a_crash_the_watch_ends_on_time_although_the_crashes_are_forgotten_earlier()
    {
        _story.StartServing().Crash().RestartAfterBackoff().CompleteInspections().Advance(_story.Policy.Watch).CompleteInspections();
        Assert.Equal(0, _story.State.Failures.Crashes);
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void Crashes_that_a_failed_probe_keeps_from_being_forgotten_do_not_keep_the_agent_awake()
    {
        _story.StartServing().PassWatch().Crash().RestartAfterBackoff().CompleteInspections();
        _story.Policy = _story.Policy with { LivenessInterval = TimeSpan.FromMinutes(4) };
        _story.AdvanceCompletingEffects(Second);
        _story.Crash().RestartAfterBackoff().Advance(_story.Policy.LivenessInterval).FailProbe();
        _story.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(1, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        Assert.Equal(2, _story.State.Failures.Crashes);
    }

    [Fact]
    public void Notes_that_could_not_be_written_are_written_on_time_when_nothing_else_happens()
    {
        _story.DiskFails = true;
        _story.StartServing().CompleteInspections();
        var written = _story.SaveCount;
        _story.Advance(((FetchState.Waiting)_story.State.Saved.State).Until - _story.Now);
        Assert.Equal(written + 1, _story.SaveCount);
    }

    [Fact]
    public void Notes_that_need_no_writing_any_more_do_not_keep_the_agent_awake()
    {
        _story.DiskFails = true;
        _story.Boot().Request(RequestKind.Stop).Request(RequestKind.Start);
        Assert.IsType<FetchState.Waiting>(_story.State.Saved.State);
        var written = _story.SaveCount;
        _story.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(written, _story.SaveCount);
    }

    [Fact]
    public void A_good_image_that_can_not_be_fetched_without_the_engine_does_not_keep_the_agent_awake()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections().FailFallbackFetch(Sample.Refused);
        _story.ForgetStartedEffects().LoseEngine();
        for (var i = 0; i < 20; i++)
        {
            _story.Advance(TimeSpan.FromSeconds(30));
            _ = _story.IsPending<Effect.InspectEngine>() ? _story.FailInspection() : _story;
        }
        Assert.Equal(0, _story.CountStarted<Effect.FetchFallback>());
        _story.RecoverEngine();
        Assert.Equal(1, _story.CountStarted<Effect.FetchFallback>());
    }
}
