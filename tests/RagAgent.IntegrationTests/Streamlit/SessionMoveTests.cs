using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Streamlit;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>Open sessions of real Streamlit during an update.</summary>
public sealed class SessionMoveTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private static readonly byte[] ScriptIsRunning = [0x4A, 0x02, 0x10, 0x01];

    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    private Uri Address => new($"http://127.0.0.1:{Port}/");

    [Theory, MemberData(nameof(Versions))]
    public async Task In_a_drain_a_session_in_use_stays_whole_and_one_that_nobody_uses_is_moved(string version)
    {
        await ServeReleaseAsync(version, "start-first");
        await using var forgotten = await OpenAsync(release: 1);
        await PushReleaseAsync(version, 2);
        await WaitForAsync(s => s.App is { Sessions: 1, SessionsInUse: 0 }, "nobody uses the session");
        await using var used = await OpenAsync(release: 1);

        var update = UpdateAsync();
        await UseUntilAsync(used, forgotten.WaitForCloseAsync(TestCancellation));

        Assert.Equal(1012, forgotten.CloseCode);
        Assert.True(WasToldToRun(forgotten));
        await using var moved = await OpenAsync(release: 2, previous: forgotten.Id);
        await using var fresh = await OpenAsync(release: 2);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(used.MediaPath("jpg"))).Status);
        Assert.Equal((HttpStatusCode.OK, "Downloaded from release 1"), await GetAsync(used.MediaPath("txt")));
        Assert.Equal(HttpStatusCode.NoContent, await UploadAsync(used));
        Assert.Equal((HttpStatusCode.OK, "Downloaded from release 2"), await GetAsync(fresh.MediaPath("txt")));
        Assert.Equal(HttpStatusCode.NoContent, await UploadAsync(fresh));
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/media/0123.png")).Status);
        await RunAsync(used, release: 1);

        await used.WaitForCloseAsync(TestCancellation);
        Assert.Equal(1012, used.CloseCode);
        Assert.False(WasToldToRun(used));
        await using var later = await OpenAsync(release: 2, previous: used.Id);
        (await update).AssertSucceeded();
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_stop_first_update_closes_every_session_and_only_those_that_nobody_uses_run_the_script(string version)
    {
        await ServeReleaseAsync(version, "stop-first");
        await using var forgotten = await OpenAsync(release: 1);
        await PushReleaseAsync(version, 2);
        await WaitForAsync(s => s.App is { Sessions: 1, SessionsInUse: 0 }, "nobody uses the session");
        await using var used = await OpenAsync(release: 1);

        var update = UpdateAsync();
        await UseUntilAsync(used, forgotten.WaitForCloseAsync(TestCancellation));
        await used.WaitForCloseAsync(TestCancellation);

        Assert.Equal(1012, forgotten.CloseCode);
        Assert.True(WasToldToRun(forgotten));
        Assert.Equal(1012, used.CloseCode);
        Assert.False(WasToldToRun(used));
        await using var moved = await OpenAsync(release: 2, previous: forgotten.Id);
        await using var later = await OpenAsync(release: 2, previous: used.Id);
        (await update).AssertSucceeded();
    }

    /// <summary>By the agent. Streamlit says the same right after the message that begins a run.</summary>
    private static bool WasToldToRun(StreamlitSession session) =>
        session.LastMessage.SequenceEqual(ScriptIsRunning) && RunMessage.Read(session.MessageBefore).Kind != RunMessageKind.Began;

    private async Task ServeReleaseAsync(string version, string swap)
    {
        ConfigureStreamlit();
        Config["update"] = new JsonObject
        {
            ["every"] = null,
            ["swap"] = swap,
            ["watch"] = "1s",
            ["drain"] = "8s",
            ["idleAfter"] = "10s",
        };
        await PushReleaseAsync(version, 1);
        StartAgent();
        await WaitUntilServingAsync();
    }

    private Task PushReleaseAsync(string version, int release) => PushStreamlitAsync(version, StreamlitReleases.Write(Folder, release));

    private async Task<StreamlitSession> OpenAsync(int release, string? previous = null)
    {
        var session = await StreamlitSession.OpenAsync(Address, TestCancellation, previous);
        await session.RunAsync(TestCancellation);
        await session.WaitForTextAsync($"Line 39 of release {release}", TestCancellation);
        return session;
    }

    private static async Task RunAsync(StreamlitSession session, int release)
    {
        session.Forget();
        await session.RunAsync(TestCancellation);
        await session.WaitForTextAsync($"Line 39 of release {release}", TestCancellation);
    }

    /// <summary>Clicks all the time, as a person does.</summary>
    private static async Task UseUntilAsync(StreamlitSession session, Task end)
    {
        try
        {
            while (!end.IsCompleted)
            {
                await session.RunAsync(TestCancellation);
                await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, TestCancellation));
            }
        }
        catch (WebSocketException)
        {
            // It was closed, too.
        }
        await end;
    }

    /// <summary>Uploads a file, as a page does, with the cookie and the header against forged requests.</summary>
    private async Task<HttpStatusCode> UploadAsync(StreamlitSession session)
    {
        using var health = await Http.GetAsync(new Uri(Address, "_stcore/health"), TestCancellation);
        var cookie = health.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Address, $"_stcore/upload_file/{session.Id}/{Guid.NewGuid()}"));
        request.Headers.Add("Cookie", cookie);
        request.Headers.Add("X-Xsrftoken", cookie.Split('=', 2)[1]);
        request.Content = new MultipartFormDataContent { { new ByteArrayContent(new byte[5000]), "file", "a.bin" } };
        using var response = await Http.SendAsync(request, TestCancellation);
        return response.StatusCode;
    }
}
