using System.Net;
using System.Text.Json;
using RagAgent.Common;
using RagAgent.Containers;

namespace RagAgent.Images;

/// <summary>Translates a registry's refusals into problems, whether the agent or the engine received them.</summary>
/// <remarks>The status says little (a 404 for a pull has four causes), so the text decides. It is matched ignoring case.</remarks>
internal static class RegistryProblems
{
    /// <summary>The registry refused the token; a new one may help.</summary>
    public static readonly ProblemKind TokenRefused = ProblemCatalog.RegistryTokenRefused;

    private const string NewTokenRemedy = "The agent requests a new token.";

    public static Problem From(string text, HttpStatusCode? status, string reference)
    {
        var message = text.Trim().TrimEnd('.');
        if (UnreachableHost.FromEngine(message, reference.Split('/')[0]) is { } unreachable)
        {
            return unreachable;
        }
        return message switch
        {
            _ when IsExpiredToken(message, status) => new(ProblemCatalog.RegistryTokenRefused,
                $"The registry refused the token for {reference}: {message}.", NewTokenRemedy),
            _ when Contains(message, "is not authorized to perform") => new(ProblemCatalog.RegistryDenied,
                $"The instance role may not pull {reference}: {message}.",
                "Allow the role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on this repository. No restart is needed."),
            _ when ContainsAny(message, "toomanyrequests", "too many requests", "rate exceeded") ||
                   status == HttpStatusCode.TooManyRequests => new(ProblemCatalog.RegistryThrottled,
                $"The registry is throttling requests for {reference}.", ExceptionMapping.RetriesAutomatically),
            _ when ContainsAny(message, "name unknown", "name_unknown", "does not exist in the registry") => new(
                ProblemCatalog.RegistryRepositoryMissing,
                $"The repository of {reference} does not exist: {message}.",
                "Create it ('aws ecr create-repository') and push an image, or correct image (and aws.region) in the configuration."),
            _ when ContainsAny(message, "no matching manifest for", "no match for platform") => new(ProblemCatalog.ImagePlatform,
                $"{reference} has no image for this machine: {message}.", "Build it for this platform and push it again."),
            _ when ContainsAny(message, "manifest unknown", "manifest_unknown", "requested image not found") ||
                   message.EndsWith(": not found", StringComparison.OrdinalIgnoreCase) => new(ProblemCatalog.RegistryTagMissing,
                $"{reference} does not exist: the repository has no such tag.",
                $"Push an image with this tag, or correct image in the configuration. {ExceptionMapping.RetriesAutomatically}"),
            _ when Contains(message, "no space left on device") => new(ProblemCatalog.DiskFull,
                $"Pulling {reference} failed: the disk is full.", EngineProblems.FreeSpaceRemedy),
            _ when status is HttpStatusCode.Unauthorized => new(ProblemCatalog.RegistryTokenRefused,
                $"The registry refused the credentials for {reference}.", NewTokenRemedy),
            _ when status is HttpStatusCode.Forbidden || Contains(message, "denied") => new(ProblemCatalog.RegistryDenied,
                $"The registry denied access to {reference}: {message}.",
                "Check the repository's policy and the instance role's permissions."),
            _ => new(ProblemCatalog.Registry,
                $"Could not get {reference} from the registry: {(message.Length > 0 ? message : $"HTTP {(int?)status}")}.",
                ExceptionMapping.RetriesAutomatically),
        };
    }

    // For an expired token, an engine with containerd's image store reports only the status: it uses HEAD, whose response has no body.
    private static bool IsExpiredToken(string message, HttpStatusCode? status) =>
        ContainsAny(message, "authorization token has expired", "no basic auth credentials", "unauthorized") ||
        (status is null && Contains(message, "403 Forbidden"));

    /// <summary>The text in a registry's error document, or the beginning of whatever else it sent.</summary>
    public static string ErrorText(string body)
    {
        const int maxLength = 300;
        try
        {
            using var document = JsonDocument.Parse(body);
            var first = document.RootElement.GetProperty("errors")[0];
            var code = first.TryGetProperty("code", out var codeElement) ? codeElement.GetString() : null;
            var message = first.TryGetProperty("message", out var messageElement) ? messageElement.GetString() : null;
            return $"{code?.ToLowerInvariant().Replace('_', ' ')}: {message}".Trim(':', ' ');
        }
        catch (Exception exception) when (
            exception is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            // Not a registry's error document, but perhaps a proxy's page. The beginning tells most.
            return body.Length > maxLength ? body[..maxLength] : body;
        }
    }

    private static bool Contains(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static bool ContainsAny(string text, params string[] parts) => parts.Any(part => Contains(text, part));
}
