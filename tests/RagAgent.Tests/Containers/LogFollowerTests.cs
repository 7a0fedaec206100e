using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Containers.AppLogs;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>Tests when a follower ends. Integration tests cover what it reads from a real engine.</summary>
public sealed class LogFollowerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("log");
    private readonly StringWriter _out = new();
    private readonly FakeTimeProvider _time = new();
    private readonly EngineConnection _connection;
    private readonly EngineLogClient _logs;
    private readonly LogWriter _writer;
    private readonly LogFollower _follower;

    public LogFollowerTests()
    {
        var config = new AgentConfig { Image = "app", Container = new ContainerConfig { Name = "app" } };
        var positions = new LogPositionStore(config, new StateDirectory(_folder.FullName), NullLogger<LogPositionStore>.Instance);
        _connection = new EngineConnection(new Uri($"unix://{_folder.FullName}/nobody.sock"), _time);
        _logs = new EngineLogClient(_connection);
        _writer = new LogWriter(
            new ContainerIdentity("0123456789abcdef", "app"),
            LogPosition.Start,
            positions.Open("0123456789abcdef"),
            positions,
            new SecretVault(),
            new UncaughtExceptionLog(),
            new OutputSink(OutputKind.Journal, text => text, _out), _time, NullLogger.Instance);
        _follower = new LogFollower(_writer, _logs, _time, NullLogger.Instance);
    }

    public void Dispose()
    {
        _follower.Dispose();
        _writer.Dispose();
        _logs.Dispose();
        _connection.Dispose();
        _out.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Following_ends_two_seconds_after_the_removal_however_often_it_is_reported()
    {
        var stopping = TestContext.Current.CancellationToken;
        var following = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = _follower.RunAsync(_ =>
        {
            following.SetResult();
            return Task.CompletedTask;
        }, stopping);
        await following.Task;

        for (var look = 0; look < 4; look++)
        {
            _follower.ReportRemoved();
            _time.Advance(TimeSpan.FromMilliseconds(500));
        }

        await running.WaitAsync(TimeSpan.FromSeconds(30), stopping);
    }
}
