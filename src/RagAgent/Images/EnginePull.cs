using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Containers;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>A pull by the engine, watched: an error in its stream is a failure, and so is a silence that is too long.</summary>
internal sealed class EnginePull(EngineConnection connection, TimeProvider time)
{
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan SilenceWhileExtracting = TimeSpan.FromMinutes(10);

    /// <returns>The platform of the image; null when it is not on disk.</returns>
    public async Task<Platform?> FindAsync(ImageName image, CancellationToken stopping)
    {
        try
        {
            var seen = await connection.CallAsync("look for the image", InspectTimeout,
                (docker, token) => docker.Images.InspectImageAsync(image.ToString(), token), stopping);
            return new Platform(seen.Os, seen.Architecture);
        }
        catch (ProblemException e) when (e.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    /// <summary>Names the image for people and keeps it from being pruned as one without a name.</summary>
    public Task TagAsync(ImageName image, string tag, CancellationToken stopping) =>
        connection.CallAsync("tag the image", InspectTimeout, (docker, token) =>
            docker.Images.TagImageAsync(image.ToString(), new ImageTagParameters { RepositoryName = image.Repository, Tag = tag }, token), stopping);

    public async Task PullAsync(ImageName image, string reference, RegistryAccess access, PullTracker tracker, Action<PullProgress> progress, CancellationToken stopping)
    {
        using var silence = new CancellationTokenSource(Silence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, silence.Token);
        string? error = null;
        var messages = new Callback<JSONMessage>(message =>
        {
            error ??= message.Error?.Message;
            if (tracker.Observe(message.ID, message.Status, message.Progress?.Current, message.Progress?.Total) is { } now)
            {
                progress(now);
            }
            silence.CancelAfter(tracker.IsExtracting ? SilenceWhileExtracting : Silence);
        });
        try
        {
            // No bound on the whole: a large image over a slow line may take hours, as long as something moves.
            await connection.CallAsync("pull the image", Timeout.InfiniteTimeSpan, (docker, token) =>
                docker.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image.ToString() }, Authentication(access), messages, token), either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem("pull-stalled", $"Pulling {reference} stalled: Docker Engine said nothing for {Words.Span(Silence)}.",
                "It is tried again; layers that are complete are kept."));
        }
        catch (ProblemException e) when (e.InnerException is DockerApiException refused)
        {
            throw new ProblemException(RegistryProblems.From(EngineProblems.Message(refused), null, reference), e);
        }
        if (error is not null)
        {
            throw new ProblemException(RegistryProblems.From(error, null, reference));
        }
    }

    private static AuthConfig? Authentication(RegistryAccess access) => access is { User: { } user, Password: { } password }
        ? new AuthConfig { Username = user, Password = password.Reveal(), ServerAddress = access.Host }
        : null;
}
