using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What a failed probe says about the app, and what it does not.</summary>
public class ProbePressureTests
{
    private readonly ContainerStory _story = new();

    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 8)]
    public void Under_pressure_twice_as_many_failures_are_allowed(bool underPressure, int borne)
    {
        _story.StartServing();
        for (var failure = 1; failure <= borne; failure++)
        {
            Assert.IsType<ContainerState.Serving>(_story.State.Front);
            Probes(new ProbeResult.Failed("no answer", underPressure));
        }
        Assert.IsType<StopReason.Unhealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void One_passed_probe_resets_the_failures_and_the_extra_allowance()
    {
        _story.StartServing();
        Probes(new ProbeResult.Failed("no answer", UnderPressure: true));
        Probes(new ProbeResult.Passed());
        for (var failure = 0; failure < 4; failure++)
        {
            Probes(new ProbeResult.Failed("no answer", UnderPressure: false));
        }
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_probe_that_could_not_be_sent_counts_neither_way()
    {
        _story.StartServing();
        Probes(new ProbeResult.Failed("no answer", UnderPressure: false));
        for (var probe = 0; probe < 100; probe++)
        {
            Probes(new ProbeResult.NotSent("no file is left"));
        }
        Assert.Equal(1, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
    }

    [Fact]
    public void Under_pressure_a_start_gets_twice_its_time()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        _story.CompleteProbe(new ProbeResult.Failed("no answer", UnderPressure: true));
        Assert.Equal(
            _story.Now + (2 * _story.Policy.StartupDeadline),
            Probing.Deadline(_story.State, Assert.IsType<ContainerState.Probing>(_story.State.Front), _story.Policy));
    }

    [Fact]
    public void A_paused_app_is_restarted_without_a_strike_against_its_image()
    {
        _story.StartServing().ObserveContainers(_story.CurrentContainer with { Status = ContainerStatus.Paused });
        while (_story.State.Front is ContainerState.Serving)
        {
            Probes(new ProbeResult.Failed("no answer", UnderPressure: false));
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict).Strikes);
    }

    private void Probes(ProbeResult result) =>
        _story.Advance(_story.Policy.LivenessInterval).CompleteInspections().CompleteProbe(result).CompleteInspections();
}
