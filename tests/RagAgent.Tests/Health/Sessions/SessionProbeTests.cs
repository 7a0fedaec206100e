using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Health;
using RagAgent.Health.Sessions;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Health.Sessions;

/// <summary>Apps that send what no Streamlit would, and sessions that real Streamlit sent.</summary>
public sealed class SessionProbeTests : IDisposable
{
    private static readonly byte[] RunBegan = [0x22, 0x00];
    private static readonly byte[] Element = [0x2A, 0x04, 0x1A, 0x02, 0xFA, 0x02];
    private static readonly byte[] Finished = [0x30, 0x00];
    private static readonly byte[] KeyErrorShown = ExceptionShown("KeyError", "'sk-1234567890'");

    private readonly UncaughtExceptionLog _log = new();
    private readonly SecretVault _vault = new();
    private readonly FakePressureFiles _pressure = new();

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _pressure.Dispose();

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("1.67.0-plain")]
    [InlineData("1.56.0-plain")]
    [InlineData("1.67.0-rerun")]
    [InlineData("1.56.0-rerun")]
    [InlineData("1.67.0-stop")]
    [InlineData("1.56.0-stop")]
    public async Task A_recorded_session_of_a_good_app_passes(string recording) =>
        Assert.Equal(Passed(SessionReading.Works), await ProbeAsync(RecordedSession.Read(recording)));

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("1.67.0-missing-package", true)]
    [InlineData("1.56.0-missing-package", true)]
    [InlineData("1.67.0-exception-late", false)]
    [InlineData("1.56.0-exception-late", false)]
    public async Task A_recorded_session_with_an_uncaught_exception_fails(string recording, bool isFinal)
    {
        var result = await ProbeAsync(RecordedSession.Read(recording), afterMessages: () => Log("Uncaught app execution", "Traceback", "Error: x"));

        Assert.Equal(isFinal, Assert.IsType<ProbeResult.SessionFailed>(result).IsFinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("1.67.0-syntax-error")]
    [InlineData("1.56.0-syntax-error")]
    public async Task A_recorded_session_with_a_compile_error_fails_without_a_word_in_the_log(string recording) =>
        Assert.Equal(
            new ProbeResult.SessionFailed("SyntaxError: '(' was never closed", IsFinal: true) { IsOfTheImage = true },
            await ProbeAsync(RecordedSession.Read(recording)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_exception_that_the_log_does_not_have_is_shown_on_purpose()
    {
        Log("You can now view your Streamlit app in your browser.");

        Assert.Equal(Passed(SessionReading.Works), await ProbeAsync([RunBegan, KeyErrorShown, Finished]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_exception_from_before_the_session_does_not_count()
    {
        Log("Uncaught app execution", "Traceback", "KeyError: 'x'", "2026-01-01 next record");

        Assert.Equal(Passed(SessionReading.Works), await ProbeAsync([RunBegan, KeyErrorShown, Finished]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_secret_in_an_exception_is_scrubbed_and_control_characters_are_replaced()
    {
        _vault.AddToScrubList(new SecretValue("sk-1234567890"));

        var result = await ProbeAsync(
            [RunBegan, ExceptionShown("KeyError", "'sk-1234567890' \u001b[31m"), Finished],
            afterMessages: () => Log("Uncaught app execution", "Traceback", "KeyError"));

        var error = Assert.IsType<ProbeResult.SessionFailed>(result).Error;
        Assert.DoesNotContain("sk-1234567890", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error);
        Assert.StartsWith("KeyError: '***'", error, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_exception_in_the_scripts_thread_ends_the_session_though_nothing_more_is_sent()
    {
        var result = await ProbeAsync(
            [RunBegan, Element],
            afterMessages: () => Log("Exception in thread ScriptRunner.scriptThread:", "Traceback", "ValueError: x"),
            then: HangAsync);

        Assert.IsType<ProbeResult.SessionFailed>(result);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_run_without_end_passes_at_the_limit_if_it_shows_something() =>
        Assert.Equal(Passed(SessionReading.Works), await ProbeAsync([RunBegan, Element], then: HangAsync, limit: TimeSpan.FromSeconds(1)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_run_without_end_that_shows_nothing_fails_at_the_limit() =>
        Assert.Equal(
            new ProbeResult.SessionFailed("it shows nothing within 1s", IsFinal: true),
            await ProbeAsync([RunBegan], then: HangAsync, limit: TimeSpan.FromSeconds(1)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task On_a_machine_under_pressure_a_page_that_shows_nothing_gets_another_session()
    {
        _pressure.Set("cpu", 100);

        var result = await ProbeAsync([RunBegan], then: HangAsync, limit: TimeSpan.FromSeconds(1));

        Assert.False(Assert.IsType<ProbeResult.SessionFailed>(result).IsFinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x5A, 0x00 })]
    public async Task A_first_message_that_is_not_understood_leaves_it_at_the_handshake(byte[] message) =>
        Assert.Equal(Passed(SessionReading.Unreadable), await ProbeAsync([message], then: HangAsync));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Text_is_not_understood() =>
        Assert.Equal(Passed(SessionReading.Unreadable), await ProbeAsync([RunBegan], type: WebSocketMessageType.Text, then: HangAsync));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Garbage_between_real_messages_is_skipped() =>
        Assert.Equal(
            Passed(SessionReading.Works),
            await ProbeAsync([RunBegan, [0xFF, 0xFF], Element, "{\"a\": 1}"u8.ToArray(), Finished]));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_message_of_64_MB_counts_as_an_element()
    {
        var large = new byte[64 * 1024 * 1024];
        new byte[] { 0x2A, 0xFA, 0xFF, 0xFF, 0x1F, 0x1A, 0xF5, 0xFF, 0xFF, 0x1F }.CopyTo(large, 0);

        Assert.Equal(
            Passed(SessionReading.Works), await ProbeAsync([RunBegan, large], then: HangAsync, limit: TimeSpan.FromSeconds(5)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Nesting_without_end_is_not_followed()
    {
        var nested = new byte[60_000];
        for (var at = 0; at < nested.Length; at += 2)
        {
            (nested[at], nested[at + 1]) = (0x2A, 0x7F);
        }

        Assert.Equal(Passed(SessionReading.Works), await ProbeAsync([RunBegan, nested, Element, Finished]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_session_that_the_app_closes_fails() =>
        Assert.Equal(
            new ProbeResult.SessionFailed("the app closed the session", IsFinal: false), await ProbeAsync([RunBegan, Element]));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_session_that_breaks_off_fails() =>
        Assert.Equal(
            new ProbeResult.SessionFailed("the app closed the session", IsFinal: false),
            await ProbeAsync([RunBegan, Element], then: (context, _) =>
            {
                context.Abort();
                return Task.CompletedTask;
            }));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_app_that_selects_another_sub_protocol_gets_no_session()
    {
        var wasAsked = false;
        await using var app = await TestServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var received = await socket.ReceiveAsync(new byte[16], context.RequestAborted);
            wasAsked = received.MessageType != WebSocketMessageType.Close;
        }, record: false);

        Assert.Equal(Passed(SessionReading.Unreadable), await ProbeAsync(app, Config(session: null), TimeSpan.FromSeconds(10)));
        Assert.False(wasAsked);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(302)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(200)]
    public async Task A_handshake_that_is_answered_otherwise_fails_the_gate_as_before(int status)
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("Log in first.");
        }, record: false);

        var result = await ProbeAsync(app, Config(session: null), TimeSpan.FromSeconds(10));

        Assert.Contains("refused a WebSocket", Assert.IsType<ProbeResult.Failed>(result).Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_session_the_handshake_alone_is_checked() =>
        Assert.Equal(
            Passed(SessionReading.NotRun),
            await ProbeAsync([RunBegan, KeyErrorShown], sessionLimit: null));

    private static ProbeResult.Passed Passed(SessionReading session) => new() { Session = session };

    private static AgentConfig Config(bool? session) =>
        new() { Image = "app", Health = new HealthConfig { Gate = new GateConfig { Session = session } } };

    private static Task HangAsync(HttpContext context, WebSocket socket) => TestServer.HangAsync(context);

    private static byte[] ExceptionShown(string type, string message)
    {
        byte[] exception = [.. Field(1, Encoding.UTF8.GetBytes(type)), .. Field(2, Encoding.UTF8.GetBytes(message))];
        return Field(5, Field(3, Field(8, exception)));
    }

    /// <summary>A field of fewer than 128 bytes.</summary>
    private static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];

    private Task<ProbeResult> ProbeAsync(
        IReadOnlyList<byte[]> messages,
        Action? afterMessages = null,
        Func<HttpContext, WebSocket, Task>? then = null,
        TimeSpan? limit = null,
        WebSocketMessageType type = WebSocketMessageType.Binary) =>
        ProbeAsync(messages, limit ?? TimeSpan.FromSeconds(20), afterMessages, then, type);

    /// <summary>Probes an app that answers the first message with these and then closes the session, or does something else.</summary>
    private async Task<ProbeResult> ProbeAsync(
        IReadOnlyList<byte[]> messages,
        TimeSpan? sessionLimit,
        Action? afterMessages = null,
        Func<HttpContext, WebSocket, Task>? then = null,
        WebSocketMessageType type = WebSocketMessageType.Binary)
    {
        await using var app = await TestServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
            var received = await socket.ReceiveAsync(new byte[16], context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return;
            }
            foreach (var message in messages)
            {
                await socket.SendAsync(message, type, endOfMessage: true, context.RequestAborted);
            }
            afterMessages?.Invoke();
            if (then is not null)
            {
                await then(context, socket);
                return;
            }
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }, record: false);
        return await ProbeAsync(app, Config(session: null), sessionLimit);
    }

    private async Task<ProbeResult> ProbeAsync(TestServer app, AgentConfig config, TimeSpan? sessionLimit)
    {
        using var prober = new HttpProber(
            config, new SessionProbe(_log, TimeProvider.System), _vault, TimeProvider.System, _pressure.Read());
        return await prober.ProbeAsync(ProbeKind.Gate, Sample.Container(app.Port), sessionLimit, TestCancellation);
    }

    private void Log(params string[] lines)
    {
        foreach (var line in lines)
        {
            _log.Observe(Sample.Container().Id, new RawLogLine(0, Encoding.UTF8.GetBytes(line), IsComplete: true), _vault);
        }
    }
}
