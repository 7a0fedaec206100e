using System.Net;
using System.Text.Json;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>What registries answer when they refuse, whether they say it to us or to the engine that pulls.</summary>
/// <remarks>A status says little (a 404 of a pull has four causes), so the text decides. ECR's own wording is matched without case.</remarks>
internal static class RegistryProblems
{
    /// <summary>The token was refused; a new one may help.</summary>
    public const string TokenRefused = "registry-token-refused";

    public static Problem From(string text, HttpStatusCode? status, string reference)
    {
        var said = text.Trim().TrimEnd('.');
        return said switch
        {
            _ when Has(said, "authorization token has expired") || Has(said, "no basic auth credentials") || Has(said, "unauthorized") ||
                   // All that an engine with containerd's image store says of an expired token: it asks by HEAD, which carries no words.
                   (status is null && Has(said, "403 Forbidden")) => new(
                TokenRefused, $"The registry refused the token for {reference}: {said}.", "A new token is asked for."),
            _ when Has(said, "is not authorized to perform") => new(
                "registry-denied", $"The instance role may not pull {reference}: {said}.",
                "Allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on this repository to the role; no restart is needed."),
            _ when Has(said, "toomanyrequests") || Has(said, "too many requests") || Has(said, "rate exceeded") || status == HttpStatusCode.TooManyRequests => new(
                "registry-throttled", $"The registry throttles requests for {reference}.", Problems.TriesAgain),
            _ when Has(said, "name unknown") || Has(said, "name_unknown") || Has(said, "does not exist in the registry") => new(
                "registry-repository-missing", $"The repository of {reference} does not exist: {said}.",
                "Create it ('aws ecr create-repository') and push an image, or correct image (and aws.region) in the configuration."),
            _ when Has(said, "no matching manifest for") || Has(said, "no match for platform") => new(
                "image-platform", $"{reference} has no image for this machine: {said}.", "Build it for this platform and push it again."),
            _ when Has(said, "manifest unknown") || Has(said, "manifest_unknown") || Has(said, "requested image not found") ||
                   said.EndsWith(": not found", StringComparison.OrdinalIgnoreCase) => new(
                "registry-tag-missing", $"{reference} does not exist: the repository has no such tag.",
                "Push an image under this tag, or correct image in the configuration; the agent looks again by itself."),
            _ when Has(said, "no space left on device") => new(
                ProblemCodes.DiskFull, $"Pulling {reference} failed: the disk is full.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."),
            _ when status is HttpStatusCode.Unauthorized => new(
                TokenRefused, $"The registry refused the credentials for {reference}.", "A new token is asked for."),
            _ when status is HttpStatusCode.Forbidden || Has(said, "denied") => new(
                "registry-denied", $"The registry denies access to {reference}: {said}.", "Check the repository's policy and the instance role's permissions."),
            _ => new("registry", $"Getting {reference} failed: {(said.Length > 0 ? said : $"HTTP {(int?)status}")}.", Problems.TriesAgain),
        };
    }

    /// <summary>The words in a registry's error document, or the beginning of whatever else it sent.</summary>
    public static string Text(string body)
    {
        const int longest = 300;
        try
        {
            using var document = JsonDocument.Parse(body);
            var first = document.RootElement.GetProperty("errors")[0];
            var code = first.TryGetProperty("code", out var c) ? c.GetString() : null;
            var message = first.TryGetProperty("message", out var m) ? m.GetString() : null;
            return $"{code?.ToLowerInvariant().Replace('_', ' ')}: {message}".Trim(':', ' ');
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            // Not a registry's document: a proxy's page, perhaps. Its beginning says most.
            return body.Length > longest ? body[..longest] : body;
        }
    }

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
