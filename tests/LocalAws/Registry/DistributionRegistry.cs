using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace LocalAws.Registry;

/// <summary>
/// A CNCF Distribution registry (Debian's docker-registry) as a child process. It has no password, so it listens on a socket in a
/// folder that only this user can enter, not on a port.
/// </summary>
internal sealed class DistributionRegistry : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("local-aws-");
    private readonly Queue<string> _output = new();
    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;

    private DistributionRegistry() =>
        Client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = ConnectAsync,
        });

    /// <summary>The start of every request's URL. Its host has no meaning.</summary>
    public const string BaseAddress = "http://registry";

    /// <summary>Connects only to the registry.</summary>
    public HttpMessageInvoker Client { get; }

    private string SocketPath => Path.Combine(_folder.FullName, "registry.sock");

    /// <summary>Starts the registry and waits until it answers.</summary>
    /// <exception cref="LocalAwsException">The program is missing, exited, or didn't answer in time.</exception>
    public static async Task<DistributionRegistry> StartAsync(string program, string storageDirectory, CancellationToken stopping)
    {
        var registry = new DistributionRegistry();
        try
        {
            Directory.CreateDirectory(storageDirectory);
            var config = Path.Combine(registry._folder.FullName, "config.yml");
            await File.WriteAllTextAsync(config, registry.Config(Path.GetFullPath(storageDirectory)), stopping);
            new Thread(() => registry.RunProcess(program, config)) { IsBackground = true, Name = "docker-registry" }.Start();
            registry._process = await registry._started.Task;
            await registry.WaitUntilReadyAsync(program, stopping);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _ended.Task;
            _process.Dispose();
        }
        Client.Dispose();
        _folder.Delete(recursive: true);
    }

    private string Config(string storage) => $$"""
        version: 0.1
        log: { level: warn, accesslog: { disabled: true } }
        storage:
          filesystem: { rootdirectory: '{{storage.Replace("'", "''", StringComparison.Ordinal)}}' }
          delete: { enabled: true }
        http:
          net: unix
          addr: '{{SocketPath}}'
          secret: {{RandomNumberGenerator.GetHexString(32)}}
        """;

    // The kernel kills the child when the thread that started it ends (setpriv --pdeathsig), so this thread lives as long as the child.
    // A killed LocalAws leaves no registry behind.
    private void RunProcess(string program, string config)
    {
        try
        {
            var process = Process.Start(StartInfo(program, config))!;
            process.OutputDataReceived += (_, line) => CaptureOutput(line.Data);
            process.ErrorDataReceived += (_, line) => CaptureOutput(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _started.SetResult(process);
            process.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            _started.TrySetException(new LocalAwsException(
                $"The registry did not start: {failure.Message} Install Debian's util-linux, which contains setpriv.", failure));
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private static ProcessStartInfo StartInfo(string program, string config)
    {
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", "--", program, "serve", config])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // REGISTRY_… variables would override the registry's configuration file.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("REGISTRY_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        return start;
    }

    private async Task WaitUntilReadyAsync(string program, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(StartTimeout);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        while (!await IsReadyAsync(linked.Token))
        {
            if (_ended.Task.IsCompleted)
            {
                throw new LocalAwsException(
                    $"The registry '{program}' exited immediately. Is Debian's docker-registry installed? Its output: {RecentOutput()}");
            }

            if (timeout.IsCancellationRequested)
            {
                throw new LocalAwsException($"The registry did not answer within {StartTimeout.TotalSeconds} s. Its output: {RecentOutput()}");
            }

            stopping.ThrowIfCancellationRequested();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken stopping)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, BaseAddress + "/v2/");
            using var response = await Client.SendAsync(request, stopping);
            return response.IsSuccessStatusCode;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stopping)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), stopping);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void CaptureOutput(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_output)
        {
            _output.Enqueue(line);
            if (_output.Count > 20)
            {
                _output.Dequeue();
            }
        }
    }

    private string RecentOutput()
    {
        lock (_output)
        {
            return _output.Count == 0 ? "none" : string.Join(Environment.NewLine, _output);
        }
    }
}
