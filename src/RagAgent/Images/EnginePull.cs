using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Containers;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Lets the engine pull an image. Fails on an error in the progress stream, or when the stream is silent for too long.</summary>
/// <remarks>
/// Cancelling a pull discards its progress: an engine with its own image store drops even complete layers (containerd's store keeps
/// them). So a pull is cancelled only for silence. The engine itself retries after short network failures.
/// </remarks>
internal sealed class EnginePull(EngineConnection connection, TimeProvider time)
{
    // Docker Engine 23. The version before it, 20.10, has 1.41.
    private static readonly System.Version MinApiVersionForZstd = new(1, 42);

    private static readonly TimeSpan StallTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StallTimeoutWhileExtracting = TimeSpan.FromMinutes(10);

    /// <summary>Checked before a pull: the engine would download everything first and then report an invalid tar header.</summary>
    /// <exception cref="ProblemException">The image has layers that the engine can't unpack.</exception>
    public async Task RequireSupportedCompressionAsync(Manifest manifest, string reference, CancellationToken stopping)
    {
        if (manifest.HasZstdLayers && await connection.MaxApiVersionAsync(stopping) < MinApiVersionForZstd)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImageCompression,
                $"{reference} has zstd-compressed layers, which Docker {await connection.EngineVersionAsync(stopping)} can't unpack.",
                "Push the image with gzip layers (remove LAYER_COMPRESSION from deploy.yml), or install Docker Engine 23 or newer. " +
                ExceptionMapping.RetriesAutomatically));
        }
    }

    public async Task PullAsync(
        ImageName image,
        string reference,
        RegistryLogin access,
        PullTracker tracker,
        Action<PullProgress> progress,
        CancellationToken stopping)
    {
        TimeSpan CurrentStallTimeout() => tracker.IsExtracting ? StallTimeoutWhileExtracting : StallTimeout;
        using var stallTimer = new LinkedTimeout(StallTimeout, time, stopping);
        string? error = null;
        var messages = new SynchronousProgress<JSONMessage>(message =>
        {
            error ??= message.Error?.Message;
            if (tracker.Observe(message.ID, message.Status, message.Progress?.Current, message.Progress?.Total) is { } now)
            {
                progress(now);
            }
            stallTimer.Restart(CurrentStallTimeout());
        });
        try
        {
            // No overall timeout: a large image over a slow connection may take hours, as long as there is progress.
            var parameters = new ImagesCreateParameters { FromImage = image.ToString() };
            await connection.CallAsync("pull the image", Timeout.InfiniteTimeSpan,
                (docker, token) => docker.Images.CreateImageAsync(parameters, ToAuthConfig(access), messages, token), stallTimer.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.PullStalled,
                $"Pulling {reference} stalled: Docker Engine reported no progress for {Humanize.Duration(CurrentStallTimeout())}.",
                ExceptionMapping.RetriesAutomatically));
        }
        catch (ProblemException exception) when (exception.InnerException is DockerApiException refused)
        {
            throw new ProblemException(ToProblem(EngineProblems.ErrorMessage(refused), reference), exception);
        }
        if (error is not null)
        {
            throw new ProblemException(ToProblem(error, reference));
        }
    }

    /// <summary>Errors of a pull come from the registry, unless a layer on the engine's disk is corrupt.</summary>
    private static Problem ToProblem(string text, string reference) => EngineProblems.IsCorruptLayer(text)
        ? EngineProblems.CorruptLayer($"pull {reference}", text)
        : RegistryProblems.From(text, null, reference);

    private static AuthConfig? ToAuthConfig(RegistryLogin access) => access is { User: { } user, Password: { } password }
        ? new AuthConfig { Username = user, Password = password.Reveal(), ServerAddress = access.Host }
        : null;
}
