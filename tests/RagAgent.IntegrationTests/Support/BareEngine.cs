using System.Diagnostics;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A private Docker Engine on a Unix socket without networks. Disposing removes all its files.</summary>
internal sealed class BareEngine : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("local-aws-engine-");
    private readonly Process _process;
    private readonly Task<string> _log;

    private BareEngine()
    {
        _process = ProcessRunner.Start("dockerd",
        [
            "--host", Host, "--data-root", PathOf("data"), "--exec-root", PathOf("exec"), "--pidfile", PathOf("pid"),
            "--bridge=none", "--iptables=false", "--ip6tables=false",
        ]);
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _log = _process.StandardError.ReadToEndAsync();
    }

    private string Host => $"unix://{PathOf("docker.sock")}";

    public static async Task<BareEngine> StartAsync(CancellationToken stopping)
    {
        var engine = new BareEngine();
        try
        {
            var limit = Stopwatch.StartNew();
            while ((await engine.DockerAsync(["version"], stopping: stopping)).ExitCode != 0)
            {
                Assert.False(engine._process.HasExited, "dockerd ended at once");
                Assert.True(limit.Elapsed < StartLimit, "dockerd did not answer in a minute");
            }
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    public Task<ProcessResult> DockerAsync(IReadOnlyList<string> arguments, string input = "", CancellationToken stopping = default) =>
        ProcessRunner.RunAsync(
            "docker",
            ["--host", Host, .. arguments],
            new Dictionary<string, string> { ["DOCKER_CONFIG"] = PathOf("config") },
            input,
            stopping);

    public async ValueTask DisposeAsync()
    {
        await ProcessRunner.RunAsync("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync();
        await _log;
        _process.Dispose();
        // The engine leaves this mount behind when it exits. If there is none, umount fails harmlessly.
        await ProcessRunner.RunAsync("umount", [PathOf("exec/netns/default")]);
        _folder.Delete(recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
