using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Proxy.Forwarding;
using RagAgent.Tests.Support;
using Xunit;
using static RagAgent.Tests.Support.WebSocketFrames;

namespace RagAgent.Tests.Proxy;

/// <summary>Which messages of a session count as a person's, and which don't.</summary>
public class SessionTrackerTests
{
    // BackMsg, as browsers send it.
    private static readonly byte[] Rerun = [0x5A, 0x00];
    private static readonly byte[] AutomaticRerun = [0x5A, 0x05, 0x2A, 0x01, 0x66, 0x30, 0x01];
    private static readonly byte[] Click = [0x5A, 0x02, 0x12, 0x00];
    private static readonly byte[] LoadGitInfo = [0x62, 0x00];
    private static readonly byte[] Heartbeat = [0x8A, 0x01, 0x00];
    private static readonly byte[] StopScript = [0x3A, 0x00];

    // ForwardMsg, as Streamlit sends it.
    private static readonly byte[] Element = [0x2A, 0x04, 0x1A, 0x02, 0xFA, 0x02];
    private static readonly byte[] Began = [0x22, 0x07, 0x0A, 0x05, 0x32, 0x03, .. "abc"u8];

    private readonly FakeTimeProvider _time = new();
    private readonly AgentClock _clock;
    private readonly SessionTracker _tracker;
    private int _reports;

    public SessionTrackerTests()
    {
        _clock = new AgentClock(_time);
        _tracker = new SessionTracker(_clock, _ => _reports++, () => { });
        Accept();
    }

    [Fact]
    public void Opening_a_page_is_a_persons_doing()
    {
        Assert.False(IsActivity(() => FromApp(Element)));
        Assert.True(IsActivity(() => FromBrowser(Rerun)));
    }

    [Fact]
    public void What_the_app_sends_counts_until_the_run_that_a_person_began_has_ended()
    {
        FromBrowser(Click);
        Assert.True(IsActivity(() => FromApp(Began)));
        Assert.True(IsActivity(() => FromApp(Element)));
        Assert.True(IsActivity(() => FromApp(Finished(0))));
        Assert.False(IsActivity(() => FromApp(Element)));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void A_run_ends_in_each_way_but_for_another_one(int status, bool ends)
    {
        FromBrowser(Click);
        FromApp(Finished(status));

        Assert.Equal(!ends, IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void A_run_without_end_counts_for_two_hours()
    {
        FromBrowser(Click);

        Advance(TimeSpan.FromHours(2));
        Assert.True(IsActivity(() => FromApp(Element), wait: TimeSpan.Zero));
        Assert.False(IsActivity(() => FromApp(Element), wait: TimeSpan.FromMilliseconds(1)));
        Assert.True(IsActivity(() => FromBrowser(Click)));
        Assert.True(IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void A_script_that_starts_itself_again_a_few_times_goes_on_and_one_that_never_stops_redraws_itself()
    {
        FromBrowser(Click);
        for (var i = 0; i < PersonalRun.MaxReruns; i++)
        {
            Assert.True(IsActivity(() => FromApp(Finished(2))));
            Assert.True(IsActivity(() => FromApp(Element)));
        }

        FromApp(Finished(2));
        Assert.False(IsActivity(() => FromApp(Element)));
        Assert.True(IsActivity(() => FromBrowser(Click)));
        Assert.True(IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void What_a_page_asks_on_its_own_and_what_the_app_answers_are_not_activity()
    {
        foreach (var message in (byte[][])[AutomaticRerun, LoadGitInfo, Heartbeat])
        {
            Assert.False(IsActivity(() => FromBrowser(message)));
            Assert.False(IsActivity(() => FromApp(Began)));
            Assert.False(IsActivity(() => FromApp(Element)));
            Assert.False(IsActivity(() => FromApp(Finished(3))));
        }
    }

    [Fact]
    public void Pings_pongs_and_closes_are_not_activity()
    {
        foreach (var opcode in (byte[])[Ping, Pong, Close])
        {
            Assert.False(IsActivity(() => _tracker.ReadFromClient(FromClient([1, 2], opcode))));
            Assert.False(IsActivity(() => _tracker.ReadFromApp(FromServer([1, 2], opcode))));
        }
    }

    [Fact]
    public void The_stop_button_and_messages_that_are_not_known_are_a_persons_doing()
    {
        Assert.True(IsActivity(() => FromBrowser(StopScript)));
        Assert.True(IsActivity(() => FromBrowser([0xF8, 0x07, 0x01])));
        Assert.False(IsActivity(() => FromApp(Element)));   // they begin no run
    }

    [Fact]
    public void The_first_run_after_a_reconnect_is_not_activity_and_the_next_click_is()
    {
        Accept(protocols: "streamlit, token, 1234");

        Assert.False(IsActivity(() => FromBrowser(LoadGitInfo)));
        Assert.False(IsActivity(() => FromBrowser(Rerun)));
        Assert.False(IsActivity(() => FromApp(Element)));
        FromApp(Finished(0));
        Assert.True(IsActivity(() => FromBrowser(Click)));
        Assert.True(IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void A_click_in_a_run_of_the_page_begins_a_run_that_counts()
    {
        FromBrowser(AutomaticRerun);
        FromApp(Began);
        FromBrowser(Click);

        FromApp(Finished(3));
        Assert.True(IsActivity(() => FromApp(Element)));
        FromApp(Finished(0));
        Assert.False(IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void A_click_that_cuts_a_run_begins_another_one()
    {
        FromBrowser(AutomaticRerun);
        FromBrowser(Click);

        FromApp(Finished(2));
        Assert.True(IsActivity(() => FromApp(Element)));
        FromApp(Finished(0));
        Assert.False(IsActivity(() => FromApp(Element)));
    }

    [Fact]
    public void The_session_that_Streamlit_named_is_known()
    {
        Assert.Null(_tracker.SessionId);
        FromApp(Began);
        Assert.Equal("abc", _tracker.SessionId);
    }

    [Theory]
    [InlineData("1.56.0")]
    [InlineData("1.67.0")]
    public void A_recorded_session_ends_its_run_and_has_an_ID(string version)
    {
        FromBrowser(Rerun);
        foreach (var message in RecordedSession.Read($"{version}-plain"))
        {
            _tracker.ReadFromApp(FromServer(message));
        }

        Assert.False(_tracker.IsOpaque);
        Assert.False(IsActivity(() => FromApp(Element)));
        Assert.True(Guid.TryParse(_tracker.SessionId, out _), _tracker.SessionId);
    }

    [Fact]
    public void A_long_message_of_the_browser_is_a_persons_and_a_long_one_of_the_app_ends_nothing()
    {
        Assert.True(IsActivity(() => FromBrowser(new byte[WebSocketMessageReader.MaxLength + 1])));
        FromApp(new byte[WebSocketMessageReader.MaxLength + 1]);
        Assert.True(IsActivity(() => FromApp(Element)));
        Assert.False(_tracker.IsOpaque);
    }

    [Theory]
    [InlineData("/_stcore/stream", "streamlit", null, false)]
    [InlineData("/below/_stcore/stream", "streamlit", null, false)]
    [InlineData("/_stcore/stream", null, null, true)]
    [InlineData("/_stcore/stream", "graphql-ws", null, true)]
    [InlineData("/stream", "streamlit", null, true)]
    [InlineData("/_stcore/stream", "streamlit", "permessage-deflate", true)]
    public void Only_an_accepted_session_of_Streamlit_is_read(string path, string? accepted, string? extensions, bool isOpaque)
    {
        Accept(path, accepted: accepted, extensions: extensions);

        Assert.Equal(isOpaque, _tracker.IsOpaque);
        Assert.Equal(isOpaque, IsActivity(() => FromBrowser(AutomaticRerun)));
    }

    [Fact]
    public void Every_message_of_a_client_that_can_not_be_read_counts_and_no_message_of_its_app()
    {
        Accept(accepted: null);

        Assert.True(IsActivity(() => _tracker.ReadFromClient(FromClient("a"u8, Text))));
        Assert.False(IsActivity(() => FromApp(Element)));
        Assert.False(IsActivity(() => _tracker.ReadFromClient(FromClient([], Ping))));
    }

    public static TheoryData<byte[], byte[]> NotStreamlit => new()
    {
        { FromClient("text"u8, Text), [] },
        { FromClient([0xFF, 0xFF]), [] },
        { FromClient([0x5A, 0x40, 0x00]), [] },
        { [], FromServer("text"u8, Text) },
        { [], FromServer("{\"type\": \"ping\"}"u8) },
        { [], FromServer([0x22, 0x7F, 0x00]) },
        { [], [0xC2, 0x01, 0x00] },
    };

    [Theory]
    [MemberData(nameof(NotStreamlit))]
    public void What_can_not_be_decoded_makes_the_session_opaque_from_then_on(byte[] fromClient, byte[] fromApp)
    {
        _tracker.ReadFromClient(fromClient);
        _tracker.ReadFromApp(fromApp);

        Assert.True(_tracker.IsOpaque);
        Assert.True(IsActivity(() => FromBrowser(AutomaticRerun)));
    }

    [Fact]
    public void Activity_is_reported_and_dated_as_it_happens()
    {
        Assert.Equal(Moment.Zero, _tracker.LastActivity);
        Advance(TimeSpan.FromMinutes(5));
        FromBrowser(Click);

        Assert.Equal((1, _clock.Now), (_reports, _tracker.LastActivity));
        Advance(TimeSpan.FromMinutes(5));
        FromBrowser(Heartbeat);
        Assert.Equal(1, _reports);
    }

    [Fact]
    public void A_session_in_use_is_followed_without_allocating()
    {
        byte[] click = FromClient(Click), automatic = FromClient(AutomaticRerun), began = FromServer(Began);
        byte[] element = FromServer(Element), finished = FromServer(Finished(0)), pong = FromClient([1], Pong);
        Follow();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            Follow();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Follow()
        {
            _tracker.ReadFromClient(click);
            _tracker.ReadFromApp(began);
            _tracker.ReadFromApp(element);
            _tracker.ReadFromApp(finished);
            _tracker.ReadFromClient(automatic);
            _tracker.ReadFromClient(pong);
        }
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() => Gen.Select(Gen.Bool, Gen.Byte.Array[0, 100]).Array[0, 20].Sample(pieces =>
    {
        var tracker = new SessionTracker(_clock, _ => { }, () => { });
        tracker.Accept(Context("/_stcore/stream", "streamlit", "streamlit", null));
        foreach (var (isClient, bytes) in pieces)
        {
            if (isClient)
            {
                tracker.ReadFromClient(bytes);
            }
            else
            {
                tracker.ReadFromApp(bytes);
            }
        }
    });

    private static byte[] Finished(int status) => [0x30, (byte)status];

    private void FromBrowser(byte[] message) => _tracker.ReadFromClient(FromClient(message));

    private void FromApp(byte[] message) => _tracker.ReadFromApp(FromServer(message));

    private void Advance(TimeSpan span) => _time.Advance(span);

    private bool IsActivity(Action action, TimeSpan? wait = null)
    {
        Advance(wait ?? TimeSpan.FromSeconds(1));
        var before = _reports;
        action();
        Assert.Equal(_reports > before, _tracker.LastActivity == _clock.Now && _reports > before);
        return _reports > before;
    }

    private void Accept(
        string path = "/_stcore/stream", string protocols = "streamlit, token", string? accepted = "streamlit", string? extensions = null) =>
        _tracker.Accept(Context(path, protocols, accepted, extensions));

    private static DefaultHttpContext Context(string path, string protocols, string? accepted, string? extensions)
    {
        var context = new DefaultHttpContext { Request = { Path = path } };
        context.Request.Headers.SecWebSocketProtocol = protocols;
        context.Response.Headers.SecWebSocketProtocol = accepted;
        context.Response.Headers.SecWebSocketExtensions = extensions;
        return context;
    }
}
