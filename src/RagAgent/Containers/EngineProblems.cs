using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Docker.DotNet;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>Translates Docker Engine's errors into problems.</summary>
/// <remarks>Its texts differ by version and image store, so they are matched by their stable parts, ignoring case.</remarks>
internal static partial class EngineProblems
{
    /// <summary>What to do about a full disk.</summary>
    public const string FreeSpaceRemedy =
        "Free some space ('docker system df' shows what the engine uses) or enlarge the volume. " + ExceptionMapping.RetriesAutomatically;

    private const string ServiceUser = ServiceAccount.Name;

    private static readonly string[] Wrappers =
    [
        "failed to create shim task: ", "failed to create task for container: ", "OCI runtime create failed: ", "runc create failed: ",
        "unable to start container process: ", "error during container init: ",
    ];

    /// <summary>The engine can't be reached, or no longer speaks the negotiated API version.</summary>
    public static bool IsConnectionFailure(Exception exception) => exception switch
    {
        DockerApiException api => api.StatusCode == HttpStatusCode.BadRequest && Contains(api.ResponseBody, "client version"),
        HttpRequestException or IOException or SocketException => true,
        _ => false,
    };

    /// <summary>The engine doesn't have (or no longer has) what the call was about.</summary>
    public static bool IsNotFound(ProblemException exception) =>
        exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound };

    public static Problem From(Exception exception, string action, string socket) => exception switch
    {
        DockerApiException api => FromMessage(ErrorMessage(api), api.StatusCode, action),
        _ when IsConnectionFailure(exception) => ConnectionFailure(exception, socket),
        _ => ExceptionMapping.ToProblem(exception),
    };

    /// <summary>Translates the engine's own message, from a response or a progress stream.</summary>
    public static Problem FromMessage(string message, HttpStatusCode status, string action)
    {
        var text = StripWrappers(message);
        var what = $"Docker Engine could not {action}: {text}.";
        return text switch
        {
            _ when Contains(text, "no space left on device") => new(ProblemCatalog.DiskFull,
                $"Docker Engine could not {action}: the disk is full.", FreeSpaceRemedy),
            _ when ContainsAny(text, "port is already allocated", "address already in use") => new(ProblemCatalog.EnginePortTaken,
                what, $"See which process listens there with 'ss -ltnp'. {ExceptionMapping.RetriesAutomatically}"),
            _ when Contains(text, "client version") => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine no longer speaks the same API version: {text}.", "The agent negotiates the version again."),
            // containerd is down, for instance during an upgrade. Like an engine that is down, this says nothing about the image.
            _ when ContainsAny(text, "containerd.sock", "transport is closing", "ttrpc: closed") => new(ProblemCatalog.EngineContainerd,
                $"Docker Engine could not {action}: it can't reach containerd ({text}).",
                $"Check 'systemctl status containerd'. {ExceptionMapping.RetriesAutomatically}"),
            _ when ContainsAny(text, "driver failed programming external connectivity", "iptables") => new(ProblemCatalog.EngineNetwork,
                what,
                "Something may have flushed its firewall rules: 'systemctl restart docker' restores them. " +
                ExceptionMapping.RetriesAutomatically),
            _ when ContainsAny(text, "cannot allocate memory", "resource temporarily unavailable") => new(ProblemCatalog.EngineShort,
                what, $"The machine is short of memory or processes. {ExceptionMapping.RetriesAutomatically}"),
            _ when status == HttpStatusCode.NotFound && Contains(text, "no such image") => new(ProblemCatalog.ImageMissing,
                $"Docker Engine could not {action}: the image is no longer on disk.", "The agent pulls it again."),
            _ when BindSourceMissing().Match(text) is { Success: true } missing => VolumeFolders.MissingProblem(missing.Groups[1].Value),
            _ when ContainsAny(text, "invalid mount", "mount path", "mounting", "mount source path") => new(ProblemCatalog.EngineMount,
                what, "Correct container.volumes in the configuration."),
            _ when ContainsAny(text, "unable to find user", "no matching entries in passwd") => new(ProblemCatalog.EngineUser,
                what, "Correct container.user in the configuration, or write it as uid:gid."),
            _ when IsCorruptLayer(text) => CorruptLayer(action, text),
            _ => new(ProblemCatalog.EngineRefused, what, ExceptionMapping.RetriesAutomatically),
        };
    }

    /// <summary>Whether a layer's files are damaged: after a power cut, or after someone deleted some by hand.</summary>
    /// <remarks>
    /// With its own image store, the engine names its folder (overlay2) or a layer that does not exist; with containerd's, the parent
    /// of a snapshot or a blob. Errors about a file inside the container don't count, nor those that a broken or full disk explains.
    /// </remarks>
    public static bool IsCorruptLayer(string text) =>
        Contains(text, "layer does not exist") ||
        (Contains(text, "layerdb") && Contains(text, "file exists")) ||   // remains of a layer block the same layer
        LayerFileMissing().IsMatch(text) ||
        (Contains(text, "missing parent") && Contains(text, "bucket")) ||
        (Contains(text, "parent snapshot") && Contains(text, "does not exist")) ||
        BlobMissing().IsMatch(text);

    public static Problem CorruptLayer(string action, string text) => new(ProblemCatalog.ImageCorrupt,
        $"Docker Engine could not {action}: a layer of the image on disk is corrupt ({StripWrappers(text)}).",
        "The agent removes the image and pulls it again as soon as the registry answers.");

    /// <summary>The message without the prefixes of the components that passed it on, and without the runtime's guesses after it.</summary>
    private static string StripWrappers(string message)
    {
        var text = message.Trim();
        foreach (var wrapper in Wrappers)
        {
            text = text.Replace(wrapper, "", StringComparison.OrdinalIgnoreCase);
        }
        var end = text.IndexOf(": unknown", StringComparison.Ordinal);
        return (end > 0 ? text[..end] : text).TrimEnd('.', ' ');
    }

    private static Problem ConnectionFailure(Exception exception, string socket)
    {
        var error = (exception.GetBaseException() as SocketException)?.SocketErrorCode;
        return error switch
        {
            SocketError.AccessDenied => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine's socket {socket} can't be opened: permission denied.",
                Environment.UserName == ServiceUser
                    ? $"Add the agent's user '{ServiceUser}' to the group that owns the socket (usually 'docker') and restart the agent."
                    : $"Run this as root (sudo), or add the user '{Environment.UserName}' to the group that owns the socket (usually 'docker')."),
            _ when !File.Exists(socket) => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine is not running: its socket {socket} does not exist.",
                "Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it."),
            SocketError.ConnectionRefused => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine is not running: nothing listens on {socket}.",
                "Start it with 'systemctl start docker'; the agent waits for it."),
            _ => new(ProblemCatalog.EngineUnreachable,
                $"The connection to Docker Engine on {socket} broke: {ExceptionMapping.DescribeCause(exception)}.",
                $"Check 'systemctl status docker'. {ExceptionMapping.RetriesAutomatically}"),
        };
    }

    /// <summary>The message in an error response.</summary>
    public static string ErrorMessage(DockerApiException exception)
    {
        try
        {
            using var body = JsonDocument.Parse(exception.ResponseBody ?? "");
            return body.RootElement.TryGetProperty("message", out var message)
                ? message.GetString() ?? ""
                : exception.ResponseBody ?? "";
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return exception.ResponseBody is { Length: > 0 } text ? text : $"HTTP {(int)exception.StatusCode}";
        }
    }

    // Only a layer's own files and mount points: …/merged/some/file would be inside the container.
    [GeneratedRegex(
        @"/overlay2(/l(/\w+)?|/[0-9a-z]+(-init)?(/(link|lower|committed|diff|merged|work))?)?: " +
        @"(no such file or directory|too many levels of symbolic links|invalid argument|not a directory)",
        RegexOptions.IgnoreCase)]
    private static partial Regex LayerFileMissing();

    [GeneratedRegex(@"bind source path does not exist: (.+)$", RegexOptions.IgnoreCase)]
    private static partial Regex BindSourceMissing();

    [GeneratedRegex(@"(content( digest)?|blob) sha256:[0-9a-f]{64}:? not found", RegexOptions.IgnoreCase)]
    private static partial Regex BlobMissing();

    private static bool Contains(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true;

    private static bool ContainsAny(string text, params string[] parts) => parts.Any(part => Contains(text, part));
}
