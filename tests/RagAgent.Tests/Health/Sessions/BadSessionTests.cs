using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Health;
using RagAgent.Health.Sessions;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Health.Sessions;

/// <summary>Apps that send what no WebSocket server would, or without end.</summary>
public sealed class BadSessionTests : IDisposable
{
    private static readonly byte[] RunBegan = [0x82, 2, 0x22, 0x00];
    private static readonly byte[] Element = [0x82, 6, 0x2A, 0x04, 0x1A, 0x02, 0xFA, 0x02];
    private static readonly byte[] Ping = [0x89, 0];
    private static readonly byte[] FirstFragment = [0x02, 1, 0x22];
    private static readonly byte[] NextFragment = [0x00, 1, 0];
    private static readonly byte[] LargestFrame = [0x82, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

    private static readonly ProbeResult Works = new ProbeResult.Passed { Session = SessionReading.Works };
    private static readonly ProbeResult Unreadable = new ProbeResult.Passed { Session = SessionReading.Unreadable };
    private static readonly ProbeResult ShowsNothing = new ProbeResult.SessionFailed("it shows nothing within 1s", IsFinal: true);

    private readonly FakePressureFiles _pressure = new();

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _pressure.Dispose();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Elements_without_end_pass_at_the_limit() => Assert.Equal(Works, await ProbeAsync(RunBegan, Element));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Messages_without_end_that_show_nothing_fail_at_the_limit() =>
        Assert.Equal(ShowsNothing, await ProbeAsync(RunBegan, RunBegan));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_message_in_fragments_without_end_shows_nothing() =>
        Assert.Equal(ShowsNothing, await ProbeAsync([.. RunBegan, .. FirstFragment], NextFragment));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_frame_whose_rest_does_not_come_shows_nothing() =>
        Assert.Equal(ShowsNothing, await ProbeAsync([.. RunBegan, .. LargestFrame], []));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_first_message_without_end_leaves_it_at_the_handshake()
    {
        Assert.Equal(Unreadable, await ProbeAsync(FirstFragment, NextFragment));
        Assert.Equal(Unreadable, await ProbeAsync(LargestFrame, new byte[100]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Pings_without_end_show_nothing() => Assert.Equal(ShowsNothing, await ProbeAsync(RunBegan, Ping));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_frame_without_end_ends_the_session_before_the_time_limit() =>
        Assert.Equal(
            new ProbeResult.SessionFailed("it shows nothing within the first 512 MB that it sends", IsFinal: true),
            await ProbeAsync([.. RunBegan, .. LargestFrame], new byte[1000], TimeSpan.FromMinutes(3)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Compressed_messages_that_nobody_asked_for_leave_it_at_the_handshake()
    {
        byte[] compressed = [0xC2, .. RunBegan[1..]];

        Assert.Equal(Unreadable, await ProbeAsync(compressed, compressed));
        Assert.Equal(Unreadable, await ProbeAsync(compressed, compressed, extensions: "permessage-deflate"));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(new byte[] { 0x83, 0 })]                       // a reserved kind of frame
    [InlineData(new byte[] { 0x82, 0x82, 1, 2, 3, 4, 5, 6 })]  // masked, as only clients do
    [InlineData(new byte[] { 0x80, 0 })]                       // the rest of a message that did not begin
    [InlineData(new byte[] { 0x89, 126, 1, 0 })]               // a ping that is too long
    [InlineData(new byte[] { 0x82, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]   // a negative length
    [InlineData(new byte[] { 0x88, 1, 0 })]                    // half a reason for closing
    public async Task Frames_that_no_server_may_send_leave_it_at_the_handshake(byte[] frame) =>
        Assert.Equal(Unreadable, await ProbeAsync([.. RunBegan, .. frame], RunBegan));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_sub_protocol_that_was_not_offered_fails_the_gate() =>
        Assert.Matches(
            "^/_stcore/stream refused a WebSocket: ",
            Assert.IsType<ProbeResult.Failed>(await ProbeAsync(RunBegan, Element, subProtocol: "graphql-ws")).Error);

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_answer_to_the_handshake_without_end_fails_the_gate() =>
        Assert.Matches(
            "^/_stcore/stream refused a WebSocket: ",
            Assert.IsType<ProbeResult.Failed>(await ProbeAsync(RunBegan, Element, extensions: new string('x', 100_000))).Error);

    /// <summary>
    /// Probes an app that accepts a WebSocket and sends these bytes, then the others again and again, until the agent disconnects.
    /// </summary>
    private async Task<ProbeResult> ProbeAsync(
        byte[] beginning, byte[] endlessly, TimeSpan? limit = null, string subProtocol = "streamlit", string? extensions = null)
    {
        var block = Enumerable.Repeat(endlessly, 1_000).SelectMany(bytes => bytes).ToArray();
        await using var app = await TestServer.StartAsync(async context =>
        {
            await using var connection = await UpgradeAsync(context, subProtocol, extensions);
            try
            {
                await connection.WriteAsync(beginning, context.RequestAborted);
                while (block.Length > 0)
                {
                    await connection.WriteAsync(block, context.RequestAborted);
                }
                await TestServer.HangAsync(context);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                return;   // the agent has seen enough
            }
        }, record: false);
        using var prober = new HttpProber(
            new AgentConfig { Image = "app" },
            new SessionProbe(new UncaughtExceptionLog(), TimeProvider.System),
            new SecretVault(),
            TimeProvider.System,
            _pressure.Read());
        return await prober.ProbeAsync(
            ProbeKind.Gate, Sample.Container(app.Port), limit ?? TimeSpan.FromSeconds(1), TestCancellation);
    }

    private static Task<Stream> UpgradeAsync(HttpContext context, string subProtocol, string? extensions)
    {
        var (asked, answer) = (context.Request.Headers, context.Response.Headers);
        answer.Connection = "Upgrade";
        answer.Upgrade = "websocket";
        answer.SecWebSocketProtocol = subProtocol;
        answer.SecWebSocketExtensions = extensions;
        // The protocol demands SHA-1. It protects nothing.
#pragma warning disable CA5350
        answer.SecWebSocketAccept = Convert.ToBase64String(
            SHA1.HashData(Encoding.ASCII.GetBytes($"{asked.SecWebSocketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        return context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }
}
