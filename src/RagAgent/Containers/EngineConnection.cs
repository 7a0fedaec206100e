using Docker.DotNet;
using Docker.DotNet.Unix;
using Polly;
using Polly.Timeout;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>The way to the Docker Engine: finds it, agrees on an API version, bounds every call in time.</summary>
/// <remarks>
/// An engine may be upgraded, restarted or come up late beneath the agent: after a failed call the version is agreed on
/// anew with the next one.
/// </remarks>
internal sealed class EngineConnection : IDisposable
{
    private const string DefaultHost = "unix:///var/run/docker.sock";

    // What this code was written against. A newer engine is asked for this one, an older one for its own.
    private static readonly Version PreferredApiVersion = new(1, 44);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(30);

    // Of the first call, not of the making: who never calls the engine has nothing to say about where it is.
    private readonly Lazy<Uri> _endpoint;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _connectLock = new(1);
    private NegotiatedClient? _negotiated;

    /// <summary>The machine's engine, as the docker command finds it.</summary>
    public EngineConnection(TimeProvider time) => (_time, _endpoint) = (time, new Lazy<Uri>(ResolveDefaultEndpoint));

    public EngineConnection(Uri endpoint, TimeProvider time) => (_time, _endpoint) = (time, new Lazy<Uri>(endpoint));

    /// <summary>Where the engine is looked for.</summary>
    /// <exception cref="ProblemException"><c>DOCKER_HOST</c> names something else than a Unix socket.</exception>
    public string Socket => _endpoint.Value.LocalPath;

    /// <summary>Carries out one call.</summary>
    /// <param name="action">For the operator, as in "Docker Engine did not … in time".</param>
    /// <param name="timeout">How long the engine may take for it.</param>
    /// <param name="call">The call itself.</param>
    /// <param name="stopping">The caller's own end.</param>
    /// <exception cref="ProblemException">The engine is out of reach, refused the call or took too long.</exception>
    public async Task<T> CallAsync<T>(string action, TimeSpan timeout, Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken stopping)
    {
        try
        {
            var negotiated = await ConnectAsync(stopping);
            return await WithTimeoutAsync(timeout, token => call(negotiated.Client, token), stopping);
        }
        catch (TimeoutRejectedException exception)
        {
            Reset();
            throw new ProblemException(new Problem(ProblemCatalog.EngineSilent,
                $"Docker Engine did not {action} within {Humanize.Duration(timeout)}.", "Look at 'systemctl status docker'; the agent tries again by itself."), exception);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or ProblemException))
        {
            if (EngineProblems.IsConnectionFailure(exception))
            {
                Reset();
            }
            throw new ProblemException(EngineProblems.From(exception, action, Socket), exception);
        }
    }

    public Task CallAsync(string action, TimeSpan timeout, Func<DockerClient, CancellationToken, Task> call, CancellationToken stopping) =>
        CallAsync(action, timeout, async (client, token) =>
        {
            await call(client, token);
            return true;
        }, stopping);

    /// <summary>The engine's own version, as it said when the connection was made.</summary>
    public async Task<string> EngineVersionAsync(CancellationToken stopping) =>
        await CallAsync("answer", PingTimeout, async (_, token) => (await ConnectAsync(token)).EngineVersion, stopping);

    /// <summary>The newest version of its API that the engine speaks, by which its own age is told.</summary>
    public async Task<Version> MaxApiVersionAsync(CancellationToken stopping) =>
        await CallAsync("answer", PingTimeout, async (_, token) => (await ConnectAsync(token)).MaxApiVersion, stopping);

    public void Dispose()
    {
        _negotiated?.Client.Dispose();
        _connectLock.Dispose();
    }

    private static Uri ResolveDefaultEndpoint()
    {
        var host = Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } set ? set : DefaultHost;
        return Uri.TryCreate(host, UriKind.Absolute, out var uri) && uri.Scheme == "unix"
            ? uri
            : throw new ProblemException(new Problem(ProblemCatalog.EngineHost, $"DOCKER_HOST is '{host}', but only a Unix socket can be used.",
                $"Unset it, or set it to something like {DefaultHost}."));
    }

    private async Task<NegotiatedClient> ConnectAsync(CancellationToken stopping)
    {
        if (_negotiated is { } existing)
        {
            return existing;
        }
        await _connectLock.WaitAsync(stopping);
        try
        {
            return _negotiated ??= await NegotiateAsync(stopping);
        }
        finally
        {
            _connectLock.Release();
        }
    }

    private async Task<NegotiatedClient> NegotiateAsync(CancellationToken stopping)
    {
        using var unversioned = CreateClient(null);
        var version = await WithTimeoutAsync(PingTimeout, unversioned.System.GetVersionAsync, stopping);
        var maxApiVersion = Version.Parse(version.APIVersion);
        var minApiVersion = Version.TryParse(version.MinAPIVersion, out var min) ? min : maxApiVersion;
        var apiVersion = maxApiVersion < PreferredApiVersion ? maxApiVersion : minApiVersion > PreferredApiVersion ? minApiVersion : PreferredApiVersion;
        return new NegotiatedClient(CreateClient(apiVersion), $"{version.Version} (API {apiVersion})", maxApiVersion);
    }

    private DockerClient CreateClient(Version? version)
    {
        var builder = new DockerClientBuilder().WithEndpoint(_endpoint.Value).WithTimeout(Timeout.InfiniteTimeSpan);
        builder = version is null ? builder : builder.WithApiVersion(version);
        return builder.WithTransportOptions(new UnixSocketTransportOptions()).Build();
    }

    private void Reset() => _negotiated = null;   // not disposed: another call may still be using it; it is collected when the last one ends

    private async Task<T> WithTimeoutAsync<T>(TimeSpan timeout, Func<CancellationToken, Task<T>> call, CancellationToken stopping)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return await call(stopping);
        }
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = _time }.AddTimeout(timeout).Build();
        return await pipeline.ExecuteAsync(async token => await call(token), stopping);
    }

    private sealed record NegotiatedClient(DockerClient Client, string EngineVersion, Version MaxApiVersion);
}
