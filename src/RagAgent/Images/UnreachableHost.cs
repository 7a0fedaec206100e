using System.Text.RegularExpressions;
using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>Names the host that could not be reached: the registry, or the store that it redirects to for an image's data.</summary>
/// <remarks>
/// ECR keeps the data in S3. In a private subnet without an endpoint for S3, the registry answers and every pull fails.
/// Of an address only the host is shown: the rest of a redirect's is a key to the data.
/// </remarks>
internal static partial class UnreachableHost
{
    /// <param name="registry">The registry's host.</param>
    /// <param name="contacted">The host that did not answer.</param>
    /// <param name="cause">Why, in a few words.</param>
    public static Problem ToProblem(string registry, string contacted, string cause) => contacted == registry
        ? new(ProblemCatalog.RegistryUnreachable,
            $"The registry {registry} can't be reached: {cause}.",
            $"Check the instance's network and DNS. {ExceptionMapping.RetriesAutomatically}")
        : new(ProblemCatalog.RegistryStorageUnreachable,
            $"The host that keeps the image's data, {contacted}, can't be reached: {cause}. The registry {registry} itself answers.",
            "Check the way to this host. For ECR it is S3: a private subnet needs a gateway endpoint for S3 in its route table, or a NAT " +
            $"gateway. {ExceptionMapping.RetriesAutomatically}");

    /// <summary>Reads the host from an engine's error of a pull.</summary>
    /// <param name="text">The engine's text.</param>
    /// <param name="registry">The registry's host.</param>
    /// <returns>Null if it is about something else, or doesn't tell the host.</returns>
    public static Problem? FromEngine(string text, string registry)
    {
        var request = FailedRequest().Match(text);
        if (request.Success && Cause(request.Groups["cause"].Value) is { } cause)
        {
            var (host, path) = (request.Groups["host"].Value, request.Groups["path"].Value);
            // A mirror speaks the registry's API, too.
            return host == registry || !path.StartsWith("/v2/", StringComparison.Ordinal) ? ToProblem(registry, host, cause) : null;
        }
        // The manifest had been read by then, so the registry answers.
        var download = FailedDownload().Match(text);
        return download.Success && Cause(download.Groups["cause"].Value) is { } downloadCause
            ? ToProblem(registry, download.Groups["host"].Value, downloadCause)
            : null;
    }

    private static string? Cause(string goError) => goError switch
    {
        _ when goError.Contains("no such host", StringComparison.Ordinal) => "its name can't be resolved",
        _ when goError.Contains("connection refused", StringComparison.Ordinal) => "the connection was refused",
        _ when goError.Contains("connection reset", StringComparison.Ordinal) => "the connection was reset",
        _ when goError.Contains("no route to host", StringComparison.Ordinal) ||
               goError.Contains("network is unreachable", StringComparison.Ordinal) => "there is no route to it",
        _ when goError.Contains("timeout", StringComparison.OrdinalIgnoreCase) ||
               goError.Contains("deadline exceeded", StringComparison.Ordinal) ||
               goError.Contains("request canceled while waiting", StringComparison.Ordinal) => "it did not answer in time",
        _ => null,
    };

    [GeneratedRegex("""(Get|Head) "?https?://(?<host>[^/"\s]+)(?<path>/[^"\s]*)?"?: (?<cause>.+)""", RegexOptions.Singleline)]
    private static partial Regex FailedRequest();

    [GeneratedRegex(@"download failed after attempts=\d+: dial tcp (?<host>\S+:\d+): (?<cause>.+)", RegexOptions.Singleline)]
    private static partial Regex FailedDownload();
}
