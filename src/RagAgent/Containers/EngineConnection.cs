using Docker.DotNet;
using Docker.DotNet.Unix;
using Polly;
using Polly.Timeout;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>Connects to Docker Engine: finds its socket, negotiates the API version and gives every call a timeout.</summary>
/// <remarks>
/// The engine may be upgraded, restarted or start late while the agent runs. After a failed call, the next one negotiates the
/// version again.
/// </remarks>
internal sealed class EngineConnection : IDisposable
{
    private const string DefaultHost = "unix:///var/run/docker.sock";

    // The version that this code was written against. Newer engines also speak it; with older ones, their newest is used.
    private static readonly Version PreferredApiVersion = new(1, 44);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(30);

    // Resolved on the first call: a wrong DOCKER_HOST is only a problem for code that calls the engine.
    private readonly Lazy<Uri> _endpoint;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _connectLock = new(1);
    private NegotiatedClient? _negotiated;

    /// <summary>Connects to this machine's engine, found the same way as the docker command finds it.</summary>
    public EngineConnection(TimeProvider time) => (_time, _endpoint) = (time, new Lazy<Uri>(ResolveDefaultEndpoint));

    public EngineConnection(Uri endpoint, TimeProvider time) => (_time, _endpoint) = (time, new Lazy<Uri>(endpoint));

    /// <summary>The path of the engine's socket.</summary>
    /// <exception cref="ProblemException"><c>DOCKER_HOST</c> is not a Unix socket.</exception>
    public string Socket => _endpoint.Value.LocalPath;

    /// <summary>Makes one call.</summary>
    /// <param name="action">A verb phrase for the operator, as in "Docker Engine could not …".</param>
    /// <param name="timeout">How long the engine may take; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="call">The call itself.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <exception cref="ProblemException">The engine can't be reached, refused the call or took too long.</exception>
    public async Task<T> CallAsync<T>(
        string action, TimeSpan timeout, Func<DockerClient, CancellationToken, Task<T>> call, CancellationToken stopping)
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
                $"Docker Engine did not {action} within {Humanize.Duration(timeout)}.",
                $"Check 'systemctl status docker'. {ExceptionMapping.RetriesAutomatically}"), exception);
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

    public Task CallAsync(
        string action, TimeSpan timeout, Func<DockerClient, CancellationToken, Task> call, CancellationToken stopping) =>
        CallAsync(action, timeout, async (client, token) =>
        {
            await call(client, token);
            return true;
        }, stopping);

    /// <summary>The engine's version and the negotiated API version, for the operator.</summary>
    public async Task<string> EngineVersionAsync(CancellationToken stopping) =>
        await CallAsync("answer", PingTimeout, async (_, token) => (await ConnectAsync(token)).EngineVersion, stopping);

    /// <summary>The newest API version that the engine speaks. Tells what an engine of that age can do.</summary>
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
            : throw new ProblemException(new Problem(ProblemCatalog.EngineHost,
                $"DOCKER_HOST is '{host}', but only Unix sockets are supported.",
                $"Unset it, or set it to a socket such as {DefaultHost}."));
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
        var apiVersion = PreferredApiVersion switch
        {
            _ when maxApiVersion < PreferredApiVersion => maxApiVersion,
            _ when minApiVersion > PreferredApiVersion => minApiVersion,
            _ => PreferredApiVersion,
        };
        return new NegotiatedClient(CreateClient(apiVersion), $"{version.Version} (API {apiVersion})", maxApiVersion);
    }

    private DockerClient CreateClient(Version? version)
    {
        var builder = new DockerClientBuilder().WithEndpoint(_endpoint.Value).WithTimeout(Timeout.InfiniteTimeSpan);
        builder = version is null ? builder : builder.WithApiVersion(version);
        return builder.WithTransportOptions(new UnixSocketTransportOptions()).Build();
    }

    // Not disposed: another call may still use the client. It is collected when the last one ends.
    private void Reset() => _negotiated = null;

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
