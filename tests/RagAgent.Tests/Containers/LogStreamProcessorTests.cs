using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>From the engine's bytes to lines and a position, without an engine.</summary>
public sealed class LogStreamProcessorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("log");
    private readonly FlushRecorder _out = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly SecretVault _vault = new();
    private readonly List<string> _logMessages = [];
    private readonly LogWriter _writer;

    public LogStreamProcessorTests() => _writer = Writer();

    public void Dispose()
    {
        _writer.Dispose();
        _out.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Lines_are_written_and_the_position_moves_after_them()
    {
        var processor = _writer.StartStream();
        Process(processor, Message(1, 1, "one\n"), Message(2, 2, "two\n"));

        Assert.Equal(["one", "two"], Lines());
        Assert.Equal(2, _writer.Position.HandledSince);
        Assert.Null(processor.TimeUntilDue());
    }

    [Fact]
    public void An_unfinished_line_is_held_back_together_with_the_position()
    {
        var processor = _writer.StartStream();
        Process(processor, Message(1, 1, "one\n"));
        var before = _writer.Position;
        Process(processor, Message(1, 2, "half"));

        Assert.Equal(["one"], Lines());
        Assert.Equal(before, _writer.Position);
        Assert.Equal(TimeSpan.FromSeconds(1), processor.TimeUntilDue());

        _time.Advance(TimeSpan.FromSeconds(1));
        processor.FlushDue();
        Assert.Equal(["one", "half …(cut)"], Lines());
        Assert.Equal(before.Advance(LogTimestamp.SplitPrefix(Payload(2, "half"))!.Value.At, true), _writer.Position);
    }

    [Fact]
    public void A_second_stream_continues_where_the_first_one_broke()
    {
        byte[][] log = [Message(1, 1, "one\n"), Message(1, 1, "two\n"), Message(1, 2, "three\n"), Message(1, 9, "four\n")];
        Process(_writer.StartStream(), log[..2]);
        Process(_writer.StartStream(), log);

        Assert.Equal(["one", "two", "three", "four"], Lines());
    }

    [Fact]
    public void A_kill_after_any_write_repeats_at_most_50_lines()
    {
        var processor = _writer.StartStream();
        var all = Enumerable.Range(0, 300).SelectMany(i => Message(1, 1, $"{i}\n")).ToArray();
        all.CopyTo(processor.FreeBuffer);
        var before = _out.Flushes.Count;
        processor.Process(all.Length);

        Assert.Equal(300, Lines().Length);
        Assert.All(_out.Flushes.Skip(before), piece => Assert.InRange(piece.Count(c => c == '\n'), 1, 50));
    }

    [Fact]
    public void The_rest_of_a_cut_line_is_not_a_line_of_its_own_after_a_reconnect()
    {
        byte[][] log = [Message(1, 1, new string('x', 16384)), Message(1, 1, "the rest"), Message(1, 1, "\n"), Message(1, 3, "next\n")];
        Process(_writer.StartStream(), log[..2]);
        Process(_writer.StartStream(), log);

        Assert.Equal([new string('x', 8192) + " …(cut)", "next"], Lines());
    }

    [Fact]
    public void Dropped_lines_are_counted_and_reported_after_ten_seconds_and_the_position_moves_on()
    {
        var processor = _writer.StartStream();
        for (var i = 0; i < 2500; i++)
        {
            Process(processor, Message(1, 1, "x\n"));
        }

        Assert.Equal(2000, Lines().Length);
        Assert.Equal(2500, _writer.Position.HandledSince);
        Assert.Equal(TimeSpan.FromSeconds(10), processor.TimeUntilDue());
        _time.Advance(TimeSpan.FromSeconds(10));
        processor.FlushDue();
        Assert.Equal(["The app writes more than 200 lines or 1 MB per second: 500 lines were dropped here. 'docker logs app' has them."], _logMessages);
        Assert.Null(processor.TimeUntilDue());
    }

    [Fact]
    public void Only_a_stream_that_brought_much_and_went_silent_is_stale()
    {
        var little = _writer.StartStream();
        Process(little, Message(1, 1, "x\n"));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(little.IsStale);

        var much = _writer.StartStream();
        for (var i = 0; i < 70; i++)
        {
            Process(much, Message(1, 2 + i, new string('x', 16000) + "\n"));
        }
        Assert.False(much.IsStale);
        Assert.Equal(TimeSpan.FromSeconds(5), much.TimeUntilDue());
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(much.IsStale);
    }

    [Fact]
    public void A_message_of_the_engine_is_not_a_line_and_is_reported_once()
    {
        var processor = _writer.StartStream();
        Process(
            processor, LogFrameReaderTests.Frame(2, "Error grabbing logs: unexpected EOF\n"),
            LogFrameReaderTests.Frame(3, "Error grabbing logs: unexpected EOF\n"), Message(1, 1, "one\n"));

        Assert.Equal(["one"], Lines());
        Assert.Equal(["Docker Engine could not read the log of app (0123456789ab): Error grabbing logs: unexpected EOF."], _logMessages);
    }

    private LogWriter Writer()
    {
        var config = new AgentConfig { Image = "app", Container = new ContainerConfig { Name = "app" } };
        var positions = new LogPositionStore(config, new StateDirectory(_folder.FullName), NullLogger<LogPositionStore>.Instance);
        return new LogWriter(
            new ContainerIdentity("0123456789abcdef", "app"),
            LogPosition.Start,
            positions.Open("0123456789abcdef"),
            positions,
            _vault,
            new UncaughtExceptionLog(),
            new OutputSink(OutputKind.Journal, text => text, _out), _time, new ListLogger(_logMessages));
    }

    private static string Time(long second) => DateTimeOffset.UnixEpoch.AddSeconds(second).ToString("yyyy-MM-dd'T'HH:mm:ss.000000000'Z'", CultureInfo.InvariantCulture);

    private static byte[] Payload(long second, string text) => System.Text.Encoding.UTF8.GetBytes($"{Time(second)} {text}");

    private static byte[] Message(byte source, long second, string text) => LogFrameReaderTests.Frame(source, $"{Time(second)} {text}");

    private static void Process(LogStreamProcessor processor, params byte[][] frames)
    {
        foreach (var frame in frames)
        {
            frame.CopyTo(processor.FreeBuffer);
            processor.Process(frame.Length);
        }
    }

    private string[] Lines() => [.. string.Concat(_out.Flushes).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l["<6>app| ".Length..])];
}
