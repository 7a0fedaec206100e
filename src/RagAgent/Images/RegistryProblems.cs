using System.Net;
using System.Text.Json;
using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>What registries answer when they refuse, whether they say it to us or to the engine that pulls.</summary>
/// <remarks>A status says little (a 404 of a pull has four causes), so the text decides. ECR's own wording is matched without case.</remarks>
internal static class RegistryProblems
{
    /// <summary>The token was refused; a new one may help.</summary>
    public static readonly ProblemKind TokenRefused = ProblemCatalog.RegistryTokenRefused;

    public static Problem From(string text, HttpStatusCode? status, string reference)
    {
        var message = text.Trim().TrimEnd('.');
        return message switch
        {
            _ when Contains(message, "authorization token has expired") || Contains(message, "no basic auth credentials") || Contains(message, "unauthorized") ||
                   // All that an engine with containerd's image store says of an expired token: it asks by HEAD, which carries no words.
                   (status is null && Contains(message, "403 Forbidden")) => new(
                TokenRefused, $"The registry refused the token for {reference}: {message}.", "A new token is asked for."),
            _ when Contains(message, "is not authorized to perform") => new(
                ProblemCatalog.RegistryDenied, $"The instance role may not pull {reference}: {message}.",
                "Allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on this repository to the role; no restart is needed."),
            _ when Contains(message, "toomanyrequests") || Contains(message, "too many requests") || Contains(message, "rate exceeded") || status == HttpStatusCode.TooManyRequests => new(
                ProblemCatalog.RegistryThrottled, $"The registry throttles requests for {reference}.", ExceptionMapping.RetriesAutomatically),
            _ when Contains(message, "name unknown") || Contains(message, "name_unknown") || Contains(message, "does not exist in the registry") => new(
                ProblemCatalog.RegistryRepositoryMissing, $"The repository of {reference} does not exist: {message}.",
                "Create it ('aws ecr create-repository') and push an image, or correct image (and aws.region) in the configuration."),
            _ when Contains(message, "no matching manifest for") || Contains(message, "no match for platform") => new(
                ProblemCatalog.ImagePlatform, $"{reference} has no image for this machine: {message}.", "Build it for this platform and push it again."),
            _ when Contains(message, "manifest unknown") || Contains(message, "manifest_unknown") || Contains(message, "requested image not found") ||
                   message.EndsWith(": not found", StringComparison.OrdinalIgnoreCase) => new(
                ProblemCatalog.RegistryTagMissing, $"{reference} does not exist: the repository has no such tag.",
                "Push an image under this tag, or correct image in the configuration; the agent looks again by itself."),
            _ when Contains(message, "no space left on device") => new(
                ProblemCatalog.DiskFull, $"Pulling {reference} failed: the disk is full.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."),
            _ when status is HttpStatusCode.Unauthorized => new(
                TokenRefused, $"The registry refused the credentials for {reference}.", "A new token is asked for."),
            _ when status is HttpStatusCode.Forbidden || Contains(message, "denied") => new(
                ProblemCatalog.RegistryDenied, $"The registry denies access to {reference}: {message}.", "Check the repository's policy and the instance role's permissions."),
            _ => new(ProblemCatalog.Registry, $"Getting {reference} failed: {(message.Length > 0 ? message : $"HTTP {(int?)status}")}.", ExceptionMapping.RetriesAutomatically),
        };
    }

    /// <summary>The words in a registry's error document, or the beginning of whatever else it sent.</summary>
    public static string ErrorText(string body)
    {
        const int maxLength = 300;
        try
        {
            using var document = JsonDocument.Parse(body);
            var first = document.RootElement.GetProperty("errors")[0];
            var code = first.TryGetProperty("code", out var c) ? c.GetString() : null;
            var message = first.TryGetProperty("message", out var m) ? m.GetString() : null;
            return $"{code?.ToLowerInvariant().Replace('_', ' ')}: {message}".Trim(':', ' ');
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            // Not a registry's document: a proxy's page, perhaps. Its beginning says most.
            return body.Length > maxLength ? body[..maxLength] : body;
        }
    }

    private static bool Contains(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
