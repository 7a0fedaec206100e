using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Containers;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>A pull by the engine, watched: an error in its stream is a failure, and so is a silence that is too long.</summary>
/// <remarks>
/// To end a pull costs what it brought: an engine with its own image store drops the layers of a pull that nobody waits for, complete or not (one
/// with containerd's keeps them). So it is ended for silence alone; short failures of the line are the engine's, which asks again by itself.
/// </remarks>
internal sealed class EnginePull(EngineConnection connection, TimeProvider time)
{
    // Docker Engine 23's; the one before it, 20.10, stops at 1.41.
    private static readonly System.Version MinApiVersionForZstd = new(1, 42);

    private static readonly TimeSpan StallTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StallTimeoutWhileExtracting = TimeSpan.FromMinutes(10);

    /// <summary>Before a pull, for the engine finds it out after it has fetched everything, and then speaks of an invalid tar header.</summary>
    /// <exception cref="ProblemException">It has layers that the engine can't unpack.</exception>
    public async Task RequireSupportedCompressionAsync(Manifest manifest, string reference, CancellationToken stopping)
    {
        if (manifest.HasZstdLayers && await connection.MaxApiVersionAsync(stopping) < MinApiVersionForZstd)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImageCompression,
                $"{reference} has layers that are compressed with zstd, which Docker {await connection.EngineVersionAsync(stopping)} can't unpack.",
                "Push it with gzip layers (in deploy.yml without LAYER_COMPRESSION), or install Docker Engine 23 or newer; the agent looks again by itself."));
        }
    }

    public async Task PullAsync(ImageName image, string reference, RegistryAccess access, PullTracker tracker, Action<PullProgress> progress, CancellationToken stopping)
    {
        TimeSpan Patience() => tracker.IsExtracting ? StallTimeoutWhileExtracting : StallTimeout;
        using var stallTimer = new CancellationTokenSource(StallTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, stallTimer.Token);
        string? error = null;
        var messages = new SynchronousProgress<JSONMessage>(message =>
        {
            error ??= message.Error?.Message;
            if (tracker.Observe(message.ID, message.Status, message.Progress?.Current, message.Progress?.Total) is { } now)
            {
                progress(now);
            }
            stallTimer.CancelAfter(Patience());
        });
        try
        {
            // No bound on the whole, and none on the first answer but the silence: a large image over a slow line may take hours, as long as something moves.
            await connection.CallAsync("pull the image", Timeout.InfiniteTimeSpan, (docker, token) =>
                docker.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image.ToString() }, ToAuthConfig(access), messages, token), linked.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.PullStalled, $"Pulling {reference} stalled: Docker Engine said nothing for {Humanize.Duration(Patience())}.",
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

    /// <summary>What stops a pull is the registry's doing, unless the engine trips over a layer that it has.</summary>
    private static Problem ToProblem(string text, string reference) => EngineProblems.IsCorruptLayer(text)
        ? EngineProblems.CorruptLayer($"pull {reference}", text)
        : RegistryProblems.From(text, null, reference);

    private static AuthConfig? ToAuthConfig(RegistryAccess access) => access is { User: { } user, Password: { } password }
        ? new AuthConfig { Username = user, Password = password.Reveal(), ServerAddress = access.Host }
        : null;
}
