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

namespace RagAgent.Tests.Supervision;

/// <summary>What operators asked for, in the log.</summary>
public sealed class StateChangeLogTests : IDisposable
{
    private readonly StringWriter _out = new();

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("Update", "'update' was asked for.")]
    [InlineData("Unquarantine", "'unquarantine' was asked for.")]
    public void A_request_is_named_by_its_command(string kind, string line) =>
        Assert.Equal($"<6>{line}\n", LogLine(Sample.StateWithoutContainer, new Event.OperatorRequested(Moment.Zero, Enum.Parse<RequestKind>(kind))));

    [Fact]
    public void The_end_of_a_request_is_named_by_its_command()
    {
        Assert.Equal("<6>'update' is done: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Update, changed: true, null)));
        Assert.Equal("<6>'start' had nothing to change: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Start, changed: false, null)));
        Assert.Equal("<3>'rollback' failed. It went wrong. Do this.\n", LogLine(RequestEnded(RequestKind.Rollback, changed: false, Sample.AnyProblem)));
    }

    [Theory]
    [InlineData(1, "1 failed try")]
    [InlineData(2, "2 failed tries")]
    public void The_number_of_failed_tries_is_singular_or_plural(int failures, string words)
    {
        var waiting = Sample.StateWithoutContainer.Engine with { State = new FetchState.Waiting(failures, Sample.AnyProblem, Moment.Zero) };
        var before = Sample.StateWithoutContainer with { Engine = waiting };
        Assert.Equal($"<6>The engine answers after {words}.\n", LogLine(Sample.StateWithoutContainer, before: before));
    }

    private static AgentState RequestEnded(RequestKind kind, bool changed, Problem? problem)
    {
        var outcome = new RequestOutcome(1, kind, changed, Sample.Digest, problem);
        return Sample.StateWithoutContainer with { Requests = Sample.StateWithoutContainer.Requests with { LastOutcome = outcome } };
    }

    /// <summary>The line as the journal gets it.</summary>
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
