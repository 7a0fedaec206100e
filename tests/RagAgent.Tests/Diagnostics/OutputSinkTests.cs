using RagAgent.Diagnostics.Logging;
using RagAgent.Tests.Support;
using Serilog;
using Serilog.Events;
using Serilog.Parsing;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

public sealed class OutputSinkTests : IDisposable
{
    private const string Erase = "\r\x1b[K";
    private static readonly DateTimeOffset At = new(2026, 11, 23, 12, 34, 56, 789, TimeSpan.FromHours(2));
    private static readonly ContainerIdentity App = new("0123456789abcdef", "ragstream");
    private readonly StringWriter _out = new() { NewLine = "\n" };

    public void Dispose() => _out.Dispose();

    [Theory]
    [InlineData(LogEventLevel.Fatal, "<2>Hello world.\n")]
    [InlineData(LogEventLevel.Error, "<3>Hello world.\n")]
    [InlineData(LogEventLevel.Warning, "<4>Hello world.\n")]
    [InlineData(LogEventLevel.Information, "<6>Hello world.\n")]
    [InlineData(LogEventLevel.Debug, "<7>Hello world.\n")]
    [InlineData(LogEventLevel.Verbose, "<7>Hello world.\n")]
    public void A_journal_line_has_a_priority_and_no_time(LogEventLevel level, string expected)
    {
        Sink(OutputKind.Journal).Emit(Event("Hello {Name}.", level, ("Name", "world")));

        Assert.Equal(expected, _out.ToString());
    }

    [Theory]
    [InlineData(LogEventLevel.Error, "2026-11-23T10:34:56.789Z error Hello.\n")]
    [InlineData(LogEventLevel.Warning, "2026-11-23T10:34:56.789Z warn  Hello.\n")]
    [InlineData(LogEventLevel.Information, "2026-11-23T10:34:56.789Z info  Hello.\n")]
    [InlineData(LogEventLevel.Debug, "2026-11-23T10:34:56.789Z debug Hello.\n")]
    public void A_file_line_has_the_UTC_time_and_the_level(LogEventLevel level, string expected)
    {
        Sink(OutputKind.Plain).Emit(Event("Hello.", level));

        Assert.Equal(expected, _out.ToString());
    }

    [Theory]
    [InlineData(LogEventLevel.Error, Erase + "12:34:56 \x1b[31mHello.\x1b[0m\n")]
    [InlineData(LogEventLevel.Warning, Erase + "12:34:56 \x1b[33mHello.\x1b[0m\n")]
    [InlineData(LogEventLevel.Information, Erase + "12:34:56 Hello.\n")]
    public void A_terminal_line_has_a_short_time_and_colors(LogEventLevel level, string expected)
    {
        Sink(OutputKind.Terminal).Emit(Event("Hello.", level));

        Assert.Equal(expected, _out.ToString());
    }

    [Theory]
    [InlineData("one\ntwo")]
    [InlineData("one\r\ntwo")]
    [InlineData("one\u2028two")]
    public void One_event_is_one_line(string text)
    {
        Sink(OutputKind.Journal).Emit(Event("{Text}", LogEventLevel.Information, ("Text", text)));

        Assert.Equal("<6>one two\n", _out.ToString());
    }

    [Fact]
    public void An_exceptions_type_and_message_are_on_the_same_line()
    {
        Sink(OutputKind.Journal).Emit(Event("Failed.", LogEventLevel.Error, exception: new InvalidOperationException("It\nbroke.")));

        Assert.Equal("<3>Failed. [InvalidOperationException: It broke.]\n", _out.ToString());
    }

    [Theory]
    [InlineData("Journal")]
    [InlineData("Plain")]
    [InlineData("Terminal")]
    public void Secrets_are_scrubbed_from_message_values_and_exceptions(string kind)
    {
        var sink = new OutputSink(Enum.Parse<OutputKind>(kind), text => text.Replace("sk-secret", "***", StringComparison.Ordinal), _out);

        sink.Emit(Event("Key sk-secret {Key}", LogEventLevel.Error, ("Key", "=sk-secret"), new InvalidOperationException("sk-secret")));

        Assert.DoesNotContain("sk-secret", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("Key *** =*** [InvalidOperationException: ***]", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_of_several_lines_is_scrubbed_before_the_lines_are_joined()
    {
        var sink = new OutputSink(OutputKind.Plain, text => text.Replace("one\ntwo", "***", StringComparison.Ordinal), _out);

        sink.Emit(Event("{Text}", LogEventLevel.Error, ("Text", "a one\ntwo b")));

        Assert.EndsWith("error a *** b\n", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_status_line_stays_at_the_bottom_of_a_terminal()
    {
        var sink = Sink(OutputKind.Terminal);

        sink.ShowStatus("[██··] 50 %");
        sink.ShowStatus("[██··] 50 %");
        sink.Emit(Event("Hello.", LogEventLevel.Information));
        sink.ShowStatus("");
        sink.Emit(Event("Bye.", LogEventLevel.Information));

        Assert.Equal($"{Erase}[██··] 50 %{Erase}12:34:56 Hello.\n[██··] 50 %{Erase}{Erase}12:34:56 Bye.\n", _out.ToString());
    }

    [Theory]
    [InlineData("Journal")]
    [InlineData("Plain")]
    public void There_is_no_status_line_outside_of_a_terminal(string kind)
    {
        Sink(Enum.Parse<OutputKind>(kind)).ShowStatus("[██··] 50 %");

        Assert.Equal("", _out.ToString());
    }

    [Theory]
    [InlineData("Journal", "<6>app| one\n<6>app| two\n")]
    [InlineData("Plain", "2026-11-23T10:34:56.789Z info  app| one\n2026-11-23T10:34:56.789Z info  app| two\n")]
    public void App_lines_are_marked_and_written_together(string kind, string expected)
    {
        using var writer = new FlushRecorder();
        new OutputSink(Enum.Parse<OutputKind>(kind), text => text, writer).WriteAppLines(App, [(At, "one"), (At, "two")]);

        Assert.Equal([expected], writer.Flushes);
    }

    [Fact]
    public void App_lines_are_dim_in_a_terminal_above_the_status_line()
    {
        var sink = Sink(OutputKind.Terminal);
        sink.ShowStatus("[██··] 50 %");
        sink.WriteAppLines(App, [(At, "one")]);

        Assert.Equal($"{Erase}[██··] 50 %{Erase}{At.ToLocalTime():HH:mm:ss} \x1b[2mapp| one\x1b[0m\n[██··] 50 %", _out.ToString());
    }

    [Fact]
    public void Generated_log_messages_are_written_unchanged()
    {
        using var logger = new LoggerConfiguration().WriteTo.Sink(Sink(OutputKind.Journal)).CreateLogger();
        using var factory = new Serilog.Extensions.Logging.SerilogLoggerFactory(logger);

        RagAgent.Reporting.Log.WentWrong(factory.CreateLogger("x"), Sample.AnyProblem);
        RagAgent.Reporting.Log.CouldNotAsk(factory.CreateLogger("x"), "{of the app}");

        Assert.Equal(
            "<4>It went wrong. Do this.\n<4>Can't send a probe, which says nothing about the app: {of the app}.\n",
            _out.ToString());
    }

    private OutputSink Sink(OutputKind kind) => new(kind, text => text, _out);

    private static LogEvent Event(
        string template, LogEventLevel level, (string Name, string Value)? property = null, Exception? exception = null) => new(
        At, level, exception, new MessageTemplateParser().Parse(template),
        property is { } p ? [new LogEventProperty(p.Name, new ScalarValue(p.Value))] : []);
}
