using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Serilog;
using Serilog.Extensions.Logging;
using Xunit;

namespace RagAgent.Tests.Reporting;

/// <summary>The log lines of operators' requests and of recoveries.</summary>
public sealed class StateChangeLogTests : IDisposable
{
    private readonly StringWriter _out = new();

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("Update", "An operator requested 'update'.")]
    [InlineData("Unquarantine", "An operator requested 'unquarantine'.")]
    public void A_request_is_logged_with_its_command(string kind, string line) =>
        Assert.Equal(
            $"<6>{line}\n",
            LogLine(Sample.StateWithoutContainer, new Event.OperatorRequested(Moment.Zero, Enum.Parse<RequestKind>(kind))));

    [Fact]
    public void The_end_of_a_request_is_logged_with_its_command()
    {
        Assert.Equal("<6>'update' is done: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Update, changed: true, null)));
        Assert.Equal("<6>'start' changed nothing: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Start, changed: false, null)));
        Assert.Equal("<3>'rollback' failed. It went wrong. Do this.\n", LogLine(RequestEnded(RequestKind.Rollback, changed: false, Sample.AnyProblem)));
    }

    [Theory]
    [InlineData(1, "1 failed try")]
    [InlineData(2, "2 failed tries")]
    public void A_recovery_is_logged_with_the_number_of_failed_tries(int failures, string tries) =>
        Assert.Equal($"<6>The engine answers after {tries}.\n", LogLine(Sample.StateWithoutContainer, before: WithFailedEngine(failures)));

    private static AgentState WithFailedEngine(int failures) =>
        Sample.StateWithoutContainer with
        {
            Engine = Sample.LoadFailed(Sample.AnyProblem, Sample.StateWithoutContainer.Engine.Value, failures),
        };

    private static AgentState RequestEnded(RequestKind kind, bool changed, Problem? problem) =>
        Sample.StateWithoutContainer with
        {
            Requests = Sample.StateWithoutContainer.Requests with
            {
                LastOutcome = new RequestOutcome(1, kind, changed, Sample.Digest, problem),
            },
        };

    /// <summary>As the journal gets it.</summary>
    private string LogLine(AgentState after, Event? @event = null, AgentState? before = null)
    {
        _out.GetStringBuilder().Clear();
        using var logger = new LoggerConfiguration().WriteTo.Sink(new OutputSink(OutputKind.Journal, text => text, _out)).CreateLogger();
        using var loggers = new SerilogLoggerFactory(logger);
        new StateChangeLog(loggers.CreateLogger<Supervisor>(), Sample.DefaultPolicy)
            .Changed(before ?? Sample.StateWithoutContainer, after, @event ?? new Event.Tick(Moment.Zero));
        return _out.ToString();
    }
}
