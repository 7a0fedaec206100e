using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A newer release that the agent found on its own waits while people use the app.</summary>
public class UpdateWaitTests
{
    private static readonly TimeSpan IdleAfter = TimeSpan.FromMinutes(15);

    private readonly ContainerStory _story = new();

    [Fact]
    public void A_session_that_nobody_has_used_for_a_while_does_not_hold_up_an_update()
    {
        Used(TimeSpan.Zero);
        _story.AdvanceCompletingEffects(_story.Policy.SessionUseLasts);

        FindNewer();

        Assert.True(IsReplaced);
    }

    [Fact]
    public void An_update_takes_over_as_soon_as_the_last_session_in_use_is_idle()
    {
        FindNewer(TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Assert.Equal(2, SessionUse.Count(_story.State, _story.State.Now, _story.Policy));
        Assert.NotNull(_story.State.UpdateWaitsSince);

        _story.AdvanceCompletingEffects(_story.Policy.SessionUseLasts - TimeSpan.FromMilliseconds(1));
        Assert.False(IsReplaced);
        Assert.Equal(1, SessionUse.Count(_story.State, _story.State.Now, _story.Policy));
        _story.AdvanceCompletingEffects(TimeSpan.FromMilliseconds(1));

        Assert.True(IsReplaced);
    }

    [Fact]
    public void A_click_keeps_an_update_waiting()
    {
        FindNewer(TimeSpan.Zero);
        _story.AdvanceCompletingEffects(IdleAfter);
        Used(TimeSpan.Zero);

        _story.AdvanceCompletingEffects(IdleAfter);

        Assert.False(IsReplaced);
    }

    [Fact]
    public void An_update_takes_over_when_it_has_waited_long_enough_although_people_use_the_app()
    {
        _story.Policy = _story.Policy with { WaitAtMost = TimeSpan.FromHours(1) };
        FindNewer(TimeSpan.Zero);
        var since = _story.State.UpdateWaitsSince!.Value;
        for (var i = 0; i < 11; i++)
        {
            _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));
            Used(TimeSpan.Zero);
        }
        Assert.Equal(since, _story.State.UpdateWaitsSince);
        Assert.False(IsReplaced);

        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));

        Assert.True(IsReplaced);
        Assert.True(SessionUse.Count(_story.State, _story.State.Now, _story.Policy) > 0);
    }

    [Fact]
    public void A_still_newer_image_does_not_begin_the_wait_again()
    {
        FindNewer(TimeSpan.Zero);
        var since = _story.State.UpdateWaitsSince;
        _story.Tag = Sample.NewestImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));

        Assert.Equal(Sample.NewestImage, DesiredRelease.Of(_story.State, _story.Policy)?.Image);
        Assert.Equal(since, _story.State.UpdateWaitsSince);
    }

    [Fact]
    public void A_tag_that_moves_back_ends_the_wait()
    {
        FindNewer(TimeSpan.Zero);
        _story.Tag = Sample.NewImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));

        Assert.Null(_story.State.UpdateWaitsSince);
        Assert.False(IsReplaced);
    }

    [Fact]
    public void An_unreadable_session_holds_up_an_update_while_it_is_open()
    {
        Report(Sample.OpaqueSessions(1));
        FindNewer();
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(20));
        Assert.False(IsReplaced);

        Report(OpenSessions.None);

        Assert.True(IsReplaced);
    }

    [Fact]
    public void The_wait_outlives_the_agent()
    {
        FindNewer(TimeSpan.Zero);
        Assert.NotNull(_story.Memory.UpdateWaitsSince);

        _story.RestartAgent(waitedFor: TimeSpan.FromHours(23));
        Report(Sample.OpaqueSessions(1));
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(59));
        Assert.False(IsReplaced);
        Assert.Equal(Moment.Zero + TimeSpan.FromHours(1), SessionUse.WaitsUntil(_story.State, _story.Policy));
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(1));

        Assert.True(IsReplaced);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void After_a_restart_of_the_agent_an_update_waits_until_pages_can_be_back(int sessions, bool isHeld)
    {
        FindNewer(TimeSpan.Zero);
        _story.RestartAgent(waitedFor: TimeSpan.FromMinutes(1)).AdvanceCompletingEffects(TimeSpan.FromSeconds(2));
        Assert.False(IsReplaced);
        Report(Sample.OpaqueSessions(sessions));

        _story.AdvanceCompletingEffects(_story.Policy.SessionsReturnWithin);

        Assert.Equal(!isHeld, IsReplaced);
    }

    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(60, 1)]
    [InlineData(900, 10)]
    [InlineData(86_400, 10)]
    public void The_use_of_sessions_is_reported_as_often_as_it_matters(int idleAfterSeconds, double seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds),
        (Sample.DefaultPolicy with { IdleAfter = TimeSpan.FromSeconds(idleAfterSeconds) }).SessionReportInterval);

    private bool IsReplaced => _story.State.Front is not ContainerState.Serving { Container.Image: var image } || image != Sample.NewImage;

    /// <summary>Sessions that were last used so long ago.</summary>
    private void Used(params TimeSpan[] ago) =>
        Report(new OpenSessions(0, [.. ago.Select(span => _story.Now - span)]));

    private void Report(OpenSessions open) => _story.Handle(at => new Event.SessionsChanged(at, open));

    /// <summary>A check finds a newer image while sessions are open that were last used so long ago.</summary>
    private void FindNewer(params TimeSpan[] ago)
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        if (_story.State.Front is not ContainerState.Serving)
        {
            _story.StartServing();
        }
        _story.Tag = Sample.NewerImage;
        if (ago.Length > 0)
        {
            Used(TimeSpan.Zero);
        }
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));
        if (ago.Length > 0)
        {
            Used(ago);
        }
    }
}
