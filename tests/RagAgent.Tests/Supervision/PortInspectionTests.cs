using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>When nothing answers, the agent looks at what the container listens on.</summary>
public class PortInspectionTests
{
    private static readonly ContainerPorts Other = Ports([new ListeningPort(8080, false)], 8080);

    private readonly ContainerStory _story = new();

    [Fact]
    public void After_30_seconds_without_an_answer_the_ports_are_looked_at_once()
    {
        FailProbesFor(TimeSpan.FromSeconds(29));
        Assert.Equal(0, _story.CountStarted<Effect.InspectPorts>());
        FailProbesFor(TimeSpan.FromSeconds(3));
        Assert.Equal(_story.CurrentContainer.Id, _story.SinglePending<Effect.InspectPorts>().Container.Id);

        _story.CompletePortInspection(Other);
        FailProbesFor(TimeSpan.FromMinutes(5));

        Assert.Equal(1, _story.CountStarted<Effect.InspectPorts>());
        Assert.Equal("app-wrong-port", Problem()?.Code);
    }

    [Fact]
    public void As_long_as_it_listens_on_nothing_it_is_looked_at_again_every_30_seconds()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.CompletePortInspection(Ports([]));
        FailProbesFor(TimeSpan.FromSeconds(32));
        Assert.Contains("doesn't listen on any port", Problem()!.What, StringComparison.Ordinal);

        _story.CompletePortInspection(Other);

        Assert.Contains("listens on port 8080", Problem()!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_without_a_program_that_could_tell_is_not_asked_again()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.CompletePortInspection(null);
        FailProbesFor(TimeSpan.FromMinutes(3));
        Assert.Equal(1, _story.CountStarted<Effect.InspectPorts>());
        Assert.Null(Problem());
    }

    [Fact]
    public void An_app_that_answers_with_an_error_status_listens_where_it_should()
    {
        FailProbesFor(TimeSpan.FromMinutes(2), new ProbeResult.Failed("/ answered 503", UnderPressure: false) { HttpStatus = 503 });
        Assert.Equal(0, _story.CountStarted<Effect.InspectPorts>());
    }

    [Fact]
    public void An_app_whose_gate_fails_listens_where_it_should()
    {
        Start();
        for (var seconds = 0; seconds < 60; seconds += 2)
        {
            _story.PassProbe().FailProbe("it refused a WebSocket").Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal(0, _story.CountStarted<Effect.InspectPorts>());
    }

    [Fact]
    public void An_app_that_answers_at_last_has_no_wrong_port()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.CompletePortInspection(Other).PassProbe();
        Assert.Null(Problem());
    }

    [Fact]
    public void An_app_that_has_answered_once_is_not_looked_at_when_it_stops_answering()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.Advance(TimeSpan.FromSeconds(2)).PassProbe();
        FailProbesFor(TimeSpan.FromMinutes(2));
        Assert.Equal(1, _story.CountStarted<Effect.InspectPorts>());
        _story.CompletePortInspection(Other);
        Assert.Null(Problem());
    }

    [Fact]
    public void A_late_answer_about_an_earlier_container_is_ignored()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        var late = _story.SinglePending<Effect.InspectPorts>();
        _story.Crash().RereadSecrets().WaitOutBackoff().CompleteStart().CompleteInspections();
        FailProbesFor(TimeSpan.FromSeconds(32));

        _story.Handle(at => new Event.PortsInspected(at, late.Operation, Other));
        Assert.Null(Problem());

        _story.CompletePortInspection(Other);
        Assert.NotNull(Problem());
    }

    [Theory]
    [InlineData("8080", "8080", "the app listens on port 8080. Its image exposes port 8080.", "Set container.port to 8080, or ")]
    [InlineData("8080,9000", "8080,9000", "the app listens on the ports 8080, 9000. Its image exposes the ports 8080, 9000.", "Set container.port to the right one")]
    [InlineData("l8501", "8501", "the app listens there on 127.0.0.1 only, which can't be reached from outside the container. Its image", "Make the app listen on 0.0.0.0 (")]
    [InlineData("l8080", "", "the app listens on port 8080 of 127.0.0.1 only. It is stopped", "Make the app listen on 0.0.0.0 and port 8501")]
    [InlineData("l8080,9000", "", "the app listens on port 9000. It is stopped", "Set container.port to 9000")]
    [InlineData("", "8501", "it doesn't listen on any port. Its image exposes port 8501.", "It may still be loading")]
    public void The_problem_says_what_it_listens_on_and_until_when_it_is_waited_for(
        string listening, string exposed, string words, string remedy)
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.CompletePortInspection(Ports(
            [.. Split(listening).Select(port => new ListeningPort(int.Parse(port.TrimStart('l')), port[0] == 'l'))],
            [.. Split(exposed).Select(int.Parse)]));

        var problem = Problem()!;
        Assert.StartsWith($"Nothing answers on port 8501 of the app's container ragstream: {words}", problem.What, StringComparison.Ordinal);
        Assert.EndsWith(" It is stopped unless it is ready within 10m of its start.", problem.What, StringComparison.Ordinal);
        Assert.StartsWith(remedy, problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_that_listens_where_it_should_and_hangs_has_no_wrong_port()
    {
        FailProbesFor(TimeSpan.FromSeconds(32));
        _story.CompletePortInspection(Ports([new ListeningPort(8080, false), new ListeningPort(8501, false)]));
        Assert.Null(Problem());
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static ContainerPorts Ports(ImmutableArray<ListeningPort> listening, params ImmutableArray<int> exposed) =>
        new(8501, listening, exposed);

    private Problem? Problem() => PortProblem.Of(_story.State.Front, _story.Policy);

    private void Start()
    {
        if (_story.State.Front is not ContainerState.Probing)
        {
            _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart()
                .CompleteInspections();
        }
    }

    private void FailProbesFor(TimeSpan span, ProbeResult? result = null)
    {
        Start();
        for (var end = _story.Now + span; _story.Now < end; _story.Advance(TimeSpan.FromSeconds(1)))
        {
            _ = _story.IsPending<Effect.Probe>()
                ? _story.CompleteProbe(result ?? new ProbeResult.Failed("/ did not answer", UnderPressure: false))
                : _story;
        }
    }
}
