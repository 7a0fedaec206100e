using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class ProbingTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_container_that_started_is_probed_at_once_then_ever_less_often_and_at_last_at_the_startup_interval()
    {
        Started();
        Assert.Equal(ProbeKind.Startup, _story.PendingOne<Effect.Probe>().Kind);
        foreach (var pause in (double[])[0.1, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2])
        {
            _story.ProbeFails().Passes(TimeSpan.FromSeconds(pause) - TimeSpan.FromMilliseconds(1));
            Assert.False(_story.Has<Effect.Probe>());
            _story.Passes(TimeSpan.FromMilliseconds(1));
            Assert.Equal(ProbeKind.Startup, _story.PendingOne<Effect.Probe>().Kind);
        }
    }

    [Fact]
    public void A_startup_interval_shorter_than_the_first_pause_is_kept_from_the_first_probe_on()
    {
        _story.Policy = _story.Policy with { StartupInterval = TimeSpan.FromMilliseconds(50) };
        Started();
        _story.ProbeFails().Passes(TimeSpan.FromMilliseconds(50));
        Assert.True(_story.Has<Effect.Probe>());
    }

    [Fact]
    public void No_probe_is_sent_while_another_is_under_way()
    {
        Started();
        _story.Passes(TimeSpan.FromMinutes(1));
        Assert.Single(_story.Pending.OfType<Effect.Probe>());
    }

    [Fact]
    public void After_the_startup_probe_it_must_pass_its_gate_before_it_serves()
    {
        Started();
        _story.ProbePasses();
        Assert.Equal(ProbeKind.Gate, _story.PendingOne<Effect.Probe>().Kind);
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.ProbePasses();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void Without_a_gate_the_startup_probe_is_enough()
    {
        _story.Policy = _story.Policy with { HasGate = false };
        Started();
        _story.ProbePasses();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_failed_gate_begins_anew_with_the_startup_probe()
    {
        Started();
        _story.ProbePasses().ProbeFails("the script fails").Passes(_story.Policy.StartupInterval);
        Assert.Equal(ProbeKind.Startup, _story.PendingOne<Effect.Probe>().Kind);
        Assert.Equal("the script fails", Assert.IsType<ContainerState.Probing>(_story.State.Front).LastError);
    }

    [Fact]
    public void What_is_not_well_at_its_deadline_is_stopped_and_counts_as_a_crash()
    {
        Started();
        NeverWellFor(_story.Policy.StartupDeadline - TimeSpan.FromSeconds(1));
        Assert.IsType<ContainerState.Probing>(_story.State.Front);

        NeverWellFor(TimeSpan.FromSeconds(1));
        Assert.IsType<ContainerState.Probing>(_story.State.Front);   // first the engine is looked at: it may have ended
        _story.EngineIsSeen();
        var stopping = Assert.IsType<ContainerState.Stopping>(_story.State.Front);
        Assert.Equal(new StopReason.NeverHealthy(_story.Policy.StartupDeadline, "it answers 500"), stopping.Reason);

        _story.Stops();
        Assert.Equal(1, _story.State.Crashes);
        Assert.Equal("app-never-healthy", _story.State.LastFailure?.Problem.Code);
        _story.EngineAnswers().ComesBack();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void The_deadline_runs_for_the_gate_too()
    {
        Started();
        _story.ProbePasses().Passes(_story.Policy.StartupDeadline).EngineIsSeen();
        Assert.IsType<StopReason.NeverHealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void What_serves_is_probed_at_the_liveness_interval()
    {
        _story.Serves().Forget().PassesQuietly(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Equal(8, _story.CountBegun<Effect.Probe>());
        Assert.All(_story.Begun.OfType<Effect.Probe>(), probe => Assert.Equal(ProbeKind.Liveness, probe.Kind));
    }

    [Fact]
    public void Liveness_failures_in_a_row_stop_it_and_count_as_a_crash()
    {
        _story.Serves();
        for (var failure = 1; failure <= 3; failure++)
        {
            LivenessFails();
            Assert.Equal(failure, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        }
        LivenessFails();
        _story.EngineIsSeen();
        Assert.Equal(new StopReason.Unhealthy(4, "no answer"), Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);

        _story.Stops();
        Assert.Equal(1, _story.State.Crashes);
        Assert.Equal("app-unhealthy", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void One_passed_probe_ends_the_row_of_failures()
    {
        _story.Serves();
        LivenessFails();
        LivenessFails();
        LivenessFails();
        _story.Passes(_story.Policy.LivenessInterval).ProbePasses();
        Assert.Equal(0, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        LivenessFails();
        Assert.Equal(1, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
    }

    private void Started() => _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().Starts().EngineAnswers();

    private void LivenessFails() => _story.Passes(_story.Policy.LivenessInterval).ProbeFails("no answer");

    private void NeverWellFor(TimeSpan span)
    {
        var end = _story.Now + span;
        while (_story.State.Front is ContainerState.Probing && _story.Now < end)
        {
            if (_story.Has<Effect.Probe>())
            {
                _story.ProbeFails();
            }
            if (_story.Has<Effect.InspectEngine>())
            {
                _story.EngineAnswers();
            }
            _story.Passes(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void One_whose_end_nobody_told_is_found_ended_before_it_is_given_up()
    {
        _story.Serves();
        var ended = _story.Current.Ended(3);
        _story.Engine.Clear();
        _story.Engine.Add(ended);
        for (var failure = 1; failure <= 4; failure++)
        {
            LivenessFails();
        }
        _story.EngineIsSeen();
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void A_new_one_that_could_not_be_asked_at_all_is_not_called_never_well()
    {
        var story = new ContainerStory();
        story.Serves().IsProven().Deploys(Sample.Newer).Stops().EngineIsSeen().Starts().EngineIsSeen();
        var end = story.Now + (2 * story.Policy.StartupDeadline);
        while (story.Now < end)
        {
            while (story.Has<Effect.Probe>())
            {
                story.Answers(new ProbeResult.NotSent("no file descriptor is free"));
            }
            story.Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        }
        Assert.IsType<Verdict.OnTrial>(story.State.Verdict);
        Assert.IsType<ContainerState.Probing>(story.State.Front);
    }
}
