using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Uploads during a stop-first swap.</summary>
public sealed class UploadDuringSwapTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int HalfSize = 40_000_000;   // far more than anything on the way buffers

    private readonly byte[] _file = RandomNumberGenerator.GetBytes(2 * HalfSize);

    [Fact]
    public async Task An_upload_in_flight_finishes_at_the_old_container_before_it_is_stopped()
    {
        await ServeOldAsync();
        using var upload = new Upload(_file);
        var response = SendAsync(upload);
        await upload.HalfIsSent.WaitAsync(TestCancellation);

        var update = UpdateAsync();
        await WaitForAsync(s => s.Rollout.Phase == "swap", "the old container is about to be stopped");
        upload.GoOn();

        Assert.Equal($"old {Digest}", await response);
        (await update).AssertSucceeded();
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task An_endless_upload_delays_a_swap_only_as_long_as_requests_are_held()
    {
        await ServeOldAsync(hold: "1s");
        // HttpClient would not read the response before it has sent the whole request.
        using var sender = new TcpClient();
        await sender.ConnectAsync(IPAddress.Loopback, Port, TestCancellation);
        await using var stream = sender.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"PUT /_stcore/upload_file/session/file HTTP/1.1\r\nHost: app\r\nContent-Length: {_file.Length}\r\n\r\n"),
            TestCancellation);
        await stream.WriteAsync(_file.AsMemory(0, HalfSize), TestCancellation);

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        using var response = new StreamReader(stream);
        var first = response.ReadLineAsync(TestCancellation).AsTask();
        // The agent notices that the upstream has gone when it forwards more data.
        await WaitUntilAsync(
            async () =>
            {
                await stream.WriteAsync(_file.AsMemory(HalfSize, 1000), TestCancellation);
                return first.IsCompleted;
            },
            "it is answered");
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await first);
    }

    [Fact]
    public async Task An_upload_sent_while_requests_are_held_arrives_whole_at_the_new_container()
    {
        await ServeOldAsync();
        var update = UpdateAsync();
        await WaitForAsync(s => s.App.State != "serving", "the old container has gone");
        using var upload = new Upload(_file);
        upload.GoOn();

        Assert.Equal($"new {Digest}", await SendAsync(upload));
        (await update).AssertSucceeded();
    }

    private string Digest => Convert.ToHexStringLower(SHA256.HashData(_file));

    private async Task ServeOldAsync(string hold = "30s")
    {
        ConfigureUpdate("stop-first", "1s");
        Config["update"]!["hold"] = hold;
        await PushFullAsync("old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushFullAsync("new", "--behave", "FAKE_APP_START_AFTER=2");
    }

    /// <returns>The app's response, prefixed with the status if that isn't 200.</returns>
    private async Task<string> SendAsync(Upload upload)
    {
        using var response = await Http.PutAsync(new Uri($"http://127.0.0.1:{Port}/_stcore/upload_file/session/file"), upload, TestCancellation);
        var text = await response.Content.ReadAsStringAsync(TestCancellation);
        return response.StatusCode == HttpStatusCode.OK ? text : $"{(int)response.StatusCode} {text}";
    }

    /// <summary>A file whose second half is sent after <see cref="GoOn"/>.</summary>
    private sealed class Upload(byte[] file) : HttpContent
    {
        private readonly TaskCompletionSource _half = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task HalfIsSent => _half.Task;

        public void GoOn() => _goOn.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(file.AsMemory(0, HalfSize), TestCancellation);
            _half.TrySetResult();
            await _goOn.Task.WaitAsync(TestCancellation);
            await stream.WriteAsync(file.AsMemory(HalfSize), TestCancellation);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = file.Length;
            return true;
        }
    }
}
