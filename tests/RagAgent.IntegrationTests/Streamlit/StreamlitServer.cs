using System.Net;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>An app of tests/streamlit/apps on real Streamlit: a process of its own on loopback, without a container.</summary>
internal sealed class StreamlitServer : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    private readonly string _folder;
    private readonly AgentProcess _process;

    private StreamlitServer(string folder, int port, AgentProcess process) => (_folder, Port, _process) = (folder, port, process);

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}/");

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What the app and Streamlit have written to stdout and stderr so far.</summary>
    public IReadOnlyList<string> Lines => _process.Log.Split('\n');

    /// <summary>
    /// Starts an app of <see cref="StreamlitApps"/> on a version of <see cref="StreamlitInstallation"/>, and waits until it is healthy.
    /// Skips the test if Streamlit can't be installed on this machine.
    /// </summary>
    public static async Task<StreamlitServer> StartAsync(
        string version, string app, IReadOnlyDictionary<string, string>? environment = null, CancellationToken stopping = default)
    {
        var installed = await StreamlitInstallation.FolderAsync(version);
        while (true)
        {
            var server = Start(installed, app, environment);
            try
            {
                await server.WaitUntilHealthyAsync(stopping);
                return server;
            }
            catch when (server.FoundItsPortTaken)
            {
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Another program was faster.</summary>
    private bool FoundItsPortTaken => HasExited && _process.Log.Contains($"Port {Port} is not available", StringComparison.Ordinal);

    private static StreamlitServer Start(string installed, string app, IReadOnlyDictionary<string, string>? environment)
    {
        var folder = Directory.CreateTempSubdirectory("ragst.").FullName;
        StreamlitApps.CopyTo(app, folder);
        var port = FreePort.Find();
        var variables = new Dictionary<string, string>
        {
            ["HOME"] = folder,
            ["PYTHONUNBUFFERED"] = "1",
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["STREAMLIT_SERVER_PORT"] = $"{port}",
            ["STREAMLIT_SERVER_ADDRESS"] = "127.0.0.1",
            ["STREAMLIT_SERVER_HEADLESS"] = "true",
            ["STREAMLIT_SERVER_FILE_WATCHER_TYPE"] = "none",
            ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "false",
            // Otherwise Streamlit asks the internet for its own address, and blocks for 20 s where there is no internet.
            ["STREAMLIT_BROWSER_SERVER_ADDRESS"] = "localhost",
            ["STREAMLIT_LOGGER_LEVEL"] = "info",   // as the agent sets it
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            variables[name] = value;
        }
        var process = new AgentProcess("env", ["-C", folder, $"{installed}/bin/python", "-m", "streamlit", "run", "app.py"], variables);
        return new StreamlitServer(folder, port, process);
    }

    /// <summary>What the health check answers, or null while nothing listens.</summary>
    public async Task<HttpStatusCode?> HealthAsync(CancellationToken stopping)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri(Address, "_stcore/health"), stopping);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task WaitUntilHealthyAsync(CancellationToken stopping)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (await HealthAsync(stopping) != HttpStatusCode.OK)
        {
            var waits = !HasExited && TimeProvider.System.GetElapsedTime(began) < Timeout;
            Assert.True(waits, $"Streamlit did not become healthy:\n{_process.Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stopping);
        }
    }
}
