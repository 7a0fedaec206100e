using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The engine's event stream breaks, or the engine behind it changes its version.</summary>
public sealed class EngineEventStreamTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    /// <summary>Half the interval of the regular inspection, so what is noticed sooner was noticed through an event.</summary>
    private static readonly TimeSpan EventDeadline = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<HttpContext> _streams = new();
    private int _opened;

    [Fact]
    public async Task A_cut_event_stream_is_reopened_and_reports_the_next_kill()
    {
        ConfigureRareProbes();
        await StartEngineProxyAsync(new Uri(Docker.Host), context => Task.FromResult(IsStream(context) && TrackStream(context)));
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        for (var cut = 1; cut <= 3; cut++)
        {
            var started = await Docker.StartedAtAsync(Name);
            var opened = Volatile.Read(ref _opened);
            CutStreams();
            await WaitUntilAsync(() => Task.FromResult(Volatile.Read(ref _opened) > opened), "the stream is open again");

            await KillIsNoticedAsync(started);
        }
    }

    [Fact]
    public async Task A_kill_without_an_event_stream_is_noticed_once_it_is_reopened()
    {
        ConfigureRareProbes();
        var mayOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var inspections = 0;
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            if (IsStream(context))
            {
                TrackStream(context);
                if (Volatile.Read(ref _opened) > 1)
                {
                    await mayOpen.Task.WaitAsync(context.RequestAborted);
                }
            }
            else if (context.Request.Path.Value!.EndsWith("/images/json", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref inspections);   // the last request of an inspection
            }
            return false;
        });
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        var before = Volatile.Read(ref inspections);

        CutStreams();
        await WaitUntilAsync(
            () => Task.FromResult(Volatile.Read(ref _opened) > 1 && Volatile.Read(ref inspections) > before),
            "the engine was inspected, and no event stream is open yet");
        await Docker.RunCheckedAsync("kill", Name);
        var opened = Stopwatch.StartNew();
        mayOpen.SetResult();

        await WaitUntilServedAgainAsync(Docker, started, "the app is back");
        Assert.InRange(opened.Elapsed, TimeSpan.Zero, EventDeadline);
    }

    [Theory]
    [InlineData("1.52", "1.44", "client version {0} is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version", "1.44")]
    [InlineData("1.40", "1.12", "client version {0} is too new. Maximum supported API version is 1.40", "1.40")]
    public async Task An_engine_that_returns_with_another_version_is_negotiated_again(
        string newest, string oldest, string refusal, string agreed)
    {
        ConfigureRareProbes();
        var real = (await Docker.RunCheckedAsync("version", "--format", "{{.Server.APIVersion}}")).Trim();
        var isAnother = false;
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            if (IsStream(context))
            {
                TrackStream(context);
            }
            if (!Volatile.Read(ref isAnother))
            {
                return false;
            }
            var path = context.Request.Path.Value!;
            if (path.EndsWith("/version", StringComparison.Ordinal))
            {
                await AnswerAsync(
                    context, 200, new JsonObject { ["Version"] = "99.0.1", ["ApiVersion"] = newest, ["MinAPIVersion"] = oldest });
                return true;
            }
            var requestedVersion = path.Split('/')[1];
            if (Version.TryParse(requestedVersion.TrimStart('v'), out var version) &&
                (version < Version.Parse(oldest) || version > Version.Parse(newest)))
            {
                await AnswerAsync(
                    context, 400, new JsonObject { ["message"] = string.Format(CultureInfo.InvariantCulture, refusal, version) });
                return true;
            }
            context.Request.Path = $"/v{real}{path[(requestedVersion.Length + 1)..]}";   // the real engine answers
            return false;
        });
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        Volatile.Write(ref isAnother, true);
        CutStreams();
        var status = await WaitForAsync(
            s => s.Engine.Version == $"99.0.1 (API {agreed})" && s.Problems.Count == 0, "the version is negotiated again");

        Assert.Equal("serving", status.App.State);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.False(agent.HasExited);
        await KillIsNoticedAsync(started);
    }

    private async Task KillIsNoticedAsync(string started)
    {
        await Docker.RunCheckedAsync("kill", Name);
        var killed = Stopwatch.StartNew();
        await WaitUntilServedAgainAsync(Docker, started, "the app is back");
        Assert.InRange(killed.Elapsed, TimeSpan.Zero, EventDeadline);
    }

    private static bool IsStream(HttpContext context) => context.Request.Path.Value!.EndsWith("/events", StringComparison.Ordinal);

    /// <returns>False, so that the request is passed on.</returns>
    private bool TrackStream(HttpContext context)
    {
        _streams.Enqueue(context);
        Interlocked.Increment(ref _opened);
        return false;
    }

    private void CutStreams()
    {
        while (_streams.TryDequeue(out var stream))
        {
            stream.Abort();
        }
    }

    private static async Task AnswerAsync(HttpContext context, int status, JsonObject json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json.ToJsonString());
    }
}
