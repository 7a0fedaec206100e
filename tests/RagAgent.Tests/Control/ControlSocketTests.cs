using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

/// <summary>The agent's control socket and its client, through a real socket.</summary>
public sealed class ControlSocketTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-control-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly List<ControlSocketLock> _addresses = [];
    private readonly ConfigInUse _configInUse = new();
    private readonly PasswordFixture _password = new();
    private SupervisorFixture _agent = null!;
    private ControlServer _server = null!;
    private ControlClient _client = null!;

    private string Socket => RuntimeDirectory.SocketPath(_folder.FullName);

    public async ValueTask InitializeAsync()
    {
        _agent = new SupervisorFixture(time: _time);
        _server = Server(_folder.FullName);
        await _server.StartAsync(TestCancellation);
        _client = new ControlClient(_folder.FullName);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.StopAsync(CancellationToken.None);
        await _server.DisposeAsync();
        await _agent.DisposeAsync();
        _addresses.ForEach(address => address.Dispose());
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_status_shows_the_published_state()
    {
        _agent.Board.Publish(
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(),
                Sessions = Sample.OpaqueSessions(2),
                Tag = Sample.Loaded(Sample.CurrentResolution),
                Secrets = Sample.LoadFailed<SecretVersions>(Sample.AnyProblem),
            });

        var status = await _client.StatusAsync(null, TestCancellation);

        Assert.Equal((1, "The app serves (sha256:0123456789ab)."), (status.Revision, status.Headline));
        Assert.Equal(
            new AppStatus("serving", _time.GetUtcNow(), "0123456789ab", "release-1", Sample.Digest, true, 0, false, 2, null, SessionsInUse: 2),
            status.App);
        Assert.Equal(new ImageStatus("registry/app:latest", Sample.Digest, Sample.Digest, _time.GetUtcNow(), null, null), status.Image);
        Assert.Equal(new EngineStatus("29.0.0 (API 1.44)", true), status.Engine);
        Assert.Equal([new ProblemStatus("trouble", "It went wrong.", "Do this.", _time.GetUtcNow().AddSeconds(30))], status.Problems);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_configuration_is_a_problem_until_fixed_and_wakes_waiting_clients()
    {
        var before = await _client.StatusAsync(null, TestCancellation);
        var news = _client.StatusAsync(before.Revision, TestCancellation);
        _configInUse.Report(Sample.AnyProblem);
        Assert.Equal([new ProblemStatus("trouble", "It went wrong.", "Do this.", null)], (await news).Problems);

        _configInUse.Report(null);
        Assert.Empty((await _client.StatusAsync((await news).Revision, TestCancellation)).Problems);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_waiting_client_is_woken_by_a_new_revision()
    {
        var first = await _client.StatusAsync(null, TestCancellation);

        var waiting = _client.StatusAsync(first.Revision, TestCancellation);
        _agent.Board.Publish(Sample.StateWithoutContainer);

        Assert.Equal(first.Revision + 1, (await waiting).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_client_that_missed_a_revision_does_not_wait()
    {
        _agent.Board.Publish(Sample.StateWithoutContainer);

        Assert.Equal(1, (await _client.StatusAsync(0, TestCancellation)).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_new_revision_the_client_gets_an_answer_after_the_maximum_wait()
    {
        var waiting = _client.StatusAsync(0, TestCancellation);
        while (!waiting.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            TestCancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(0, (await waiting).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_accepted_update_has_an_ID_under_which_its_outcome_is_found()
    {
        await _agent.StartAsync(TestCancellation);

        var accepted = await _client.RequestAsync("update", TestCancellation);
        await _agent.WaitForAsync(state => state.Requests.LastOutcome?.Id >= accepted.Id, TestCancellation);

        Assert.Equal(
            new UpdateStatus(null, new UpdateResult(accepted.Id, false, Sample.Digest, null)),
            (await _client.StatusAsync(null, TestCancellation)).Update);
        Assert.True((await _client.RequestAsync("update", TestCancellation)).Id > accepted.Id);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v1/update")]
    [InlineData("POST", "/v1/status")]
    [InlineData("GET", "/v2/status")]
    public async Task An_unknown_route_answers_with_the_known_ones(string method, string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, stopping) => await ConnectAsync(stopping) });
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://ragagent" + path);

        using var answer = await http.SendAsync(request, TestCancellation);

        Assert.Equal(
            (404, "Available: GET /v1/status, and POST to /v1/rollback, /v1/start, /v1/stop, /v1/unquarantine, /v1/update.\n"),
            ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestCancellation)));
    }

    [Fact]
    public void Only_the_agents_user_and_group_may_use_the_socket() =>
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(Socket));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_socket_left_by_a_crash_is_replaced()
    {
        var left = Directory.CreateDirectory(Path.Combine(_folder.FullName, "left"));
        await File.WriteAllTextAsync(RuntimeDirectory.SocketPath(left.FullName), "", TestCancellation);

        await using var server = Server(left.FullName);
        await server.StartAsync(TestCancellation);
        using var client = new ControlClient(left.FullName);

        Assert.Equal(0, (await client.StatusAsync(null, TestCancellation)).Revision);
        await server.StopAsync(TestCancellation);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_second_agent_is_refused_and_leaves_the_first_ones_socket_alone()
    {
        await using (var second = Server(_folder.FullName))
        {
            Assert.Equal(
                new Problem(ProblemCatalog.RuntimeDirectoryTaken,
                    $"Another RagAgent on this machine uses the runtime directory {_folder.FullName}.",
                    "Give this one its own directory with --runtime-dir; " +
                    $"'ragagent status --runtime-dir {_folder.FullName}' shows the other one."),
                await AssertProblem.ThrownAsync(() => second.StartAsync(TestCancellation)));
            await second.StopAsync(TestCancellation);
        }

        Assert.Equal(0, (await _client.StatusAsync(null, TestCancellation)).Revision);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task After_a_reload_the_process_keeps_its_directory()
    {
        var folder = Path.Combine(_folder.FullName, "reloaded");
        using var address = new ControlSocketLock(folder);
        address.Acquire();
        for (var life = 0; life < 2; life++)
        {
            await using var server = Server(address);
            await server.StartAsync(TestCancellation);
            using var client = new ControlClient(folder);
            Assert.Equal(0, (await client.StatusAsync(null, TestCancellation)).Revision);
            await server.StopAsync(TestCancellation);
        }
        Assert.Equal("runtime-directory-taken", AssertProblem.Thrown(() => Claim(folder)).Code);

        address.Dispose();
        Claim(folder);
    }

    [Fact]
    public void A_socket_path_that_is_too_long_is_refused()
    {
        var fits = "/" + new string('d', 93);
        Assert.Equal(107, RuntimeDirectory.SocketPath(fits).Length);

        var refused = AssertProblem.Thrown(() => RuntimeDirectory.SocketPath(fits + "d"));

        Assert.Equal(
            new Problem(
                ProblemCatalog.ControlSocketName,
                $"The control socket can't be {fits}d/control.sock: the path has 108 bytes, and a socket's path can have at most 107.",
                "Give --runtime-dir a shorter path."),
            refused);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_directory_that_can_not_be_created_is_reported()
    {
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, "", TestCancellation);
        await using var server = Server(Path.Combine(file, "below"));

        var refused = await AssertProblem.ThrownAsync(() => server.StartAsync(TestCancellation));

        Assert.Equal("control-socket", refused.Code);
        Assert.StartsWith($"The control socket {file}/below/control.sock can't be created: ", refused.What, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_an_agent_the_client_says_how_to_start_it(bool socketIsLeft)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, "nobody")).FullName;
        if (socketIsLeft)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(RuntimeDirectory.SocketPath(folder)));
        }
        using var client = new ControlClient(folder);

        Assert.Equal(
            new Problem(ProblemCatalog.NotRunning, $"No agent is running here: nothing answers on {folder}/control.sock.",
                "Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it stops again."),
            await AssertProblem.ThrownAsync(() => client.StatusAsync(null, TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_agent_that_stops_after_an_answer_is_not_reported_as_not_running()
    {
        await _client.StatusAsync(null, TestCancellation);
        await _server.StopAsync(TestCancellation);

        await Assert.ThrowsAsync<HttpRequestException>(() => _client.StatusAsync(null, TestCancellation));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static void Claim(string folder)
    {
        using var address = new ControlSocketLock(folder);
        address.Acquire();
    }

    private ControlServer Server(string folder)
    {
        var address = new ControlSocketLock(folder);
        _addresses.Add(address);
        return Server(address);
    }

    private ControlServer Server(ControlSocketLock address)
    {
        var status = new StatusWriter(
            new AgentConfig { Image = "app" },
            Sample.DefaultPolicy,
            _agent.Board,
            Sample.FirstBoot(),
            _configInUse,
            _password.Keeper,
            Sample.DisabledCertificateWatch(_agent.Board, _agent.Clock),
            new DnsStateHolder(_agent.Board),
            new UncaughtExceptionLog(),
            _agent.Clock);
        return new ControlServer(
            address, status, _agent.Board, _configInUse, _password.Keeper, _agent.Supervisor, _agent.Clock, NullLoggerFactory.Instance);
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken stopping)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), stopping);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
