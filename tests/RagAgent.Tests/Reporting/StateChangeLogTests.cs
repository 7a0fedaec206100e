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

/// <summary>What operators asked for, in the log.</summary>
public sealed class StateChangeLogTests : IDisposable
{
    private readonly StringWriter _out = new();

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData("Update", "An operator requested 'update'.")]
    [InlineData("Unquarantine", "An operator requested 'unquarantine'.")]
    public void A_request_is_named_by_its_command(string kind, string told) =>
        Assert.Equal($"<6>{told}\n", LogLine(Sample.StateWithoutContainer, new Event.OperatorRequested(Moment.Zero, Enum.Parse<RequestKind>(kind))));

    [Fact]
    public void So_is_its_end()
    {
        Assert.Equal("<6>'update' is done: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Update, changed: true, null)));
        Assert.Equal("<6>'start' changed nothing: sha256:0123456789ab serves.\n", LogLine(RequestEnded(RequestKind.Start, changed: false, null)));
        Assert.Equal("<3>'rollback' failed. It went wrong. Do this.\n", LogLine(RequestEnded(RequestKind.Rollback, changed: false, Sample.AnyProblem)));
    }

    [Theory]
    [InlineData(1, "1 failed try")]
    [InlineData(2, "2 failed tries")]
    public void How_often_something_failed_before_is_told_in_words_that_fit(int failures, string told) =>
        Assert.Equal($"<6>The engine answers after {told}.\n", LogLine(Sample.StateWithoutContainer, before: Sample.StateWithoutContainer with { Engine = Sample.StateWithoutContainer.Engine with { State = new FetchState.Waiting(failures, Sample.AnyProblem, Moment.Zero) } }));

    private static AgentState RequestEnded(RequestKind kind, bool changed, Problem? problem) => Sample.StateWithoutContainer with { Requests = Sample.StateWithoutContainer.Requests with { LastOutcome = new RequestOutcome(1, kind, changed, Sample.Digest, problem) } };

    /// <summary>As it stands in the journal.</summary>
    private string LogLine(AgentState after, Event? @event = null, AgentState? before = null)
    {
        _out.GetStringBuilder().Clear();
        using var logger = new LoggerConfiguration().WriteTo.Sink(new OutputSink(OutputKind.Journal, text => text, _out)).CreateLogger();
        using var loggers = new SerilogLoggerFactory(logger);
        new StateChangeLog(loggers.CreateLogger<Supervisor>(), Sample.DefaultPolicy).Changed(before ?? Sample.StateWithoutContainer, after, @event ?? new Event.Tick(Moment.Zero));
        return _out.ToString();
    }
}
