using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Docker.DotNet;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>What the Docker Engine's failures mean. Its texts differ by version and image store: matched by their stable parts, without case.</summary>
internal static partial class EngineProblems
{
    private const string ServiceUser = ServiceAccount.Name;

    /// <summary>The engine was not reached at all, or speaks another API version than was agreed on.</summary>
    public static bool IsConnectionFailure(Exception exception) => exception switch
    {
        DockerApiException api => api.StatusCode == HttpStatusCode.BadRequest && Contains(api.ResponseBody, "client version"),
        HttpRequestException or IOException or SocketException => true,
        _ => false,
    };

    /// <summary>The engine does not know, or no longer knows, what the call was about.</summary>
    public static bool IsNotFound(ProblemException exception) => exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound };

    public static Problem From(Exception exception, string action, string socket) => exception switch
    {
        DockerApiException api => FromMessage(ErrorMessage(api), api.StatusCode, action),
        _ when IsConnectionFailure(exception) => ConnectionFailure(exception, socket),
        _ => ExceptionMapping.ToProblem(exception),
    };

    /// <summary>The engine's own words in an answer or in a progress stream.</summary>
    public static Problem FromMessage(string message, HttpStatusCode status, string action)
    {
        var text = StripWrappers(message);
        return text switch
        {
            _ when Contains(text, "no space left on device") => new(ProblemCatalog.DiskFull,
                $"Docker Engine could not {action}: the disk is full.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."),
            _ when Contains(text, "port is already allocated") || Contains(text, "address already in use") => new(ProblemCatalog.EnginePortTaken,
                $"Docker Engine could not {action}: {text}.", $"See who listens with 'ss -ltnp'. {ExceptionMapping.RetriesAutomatically}"),
            _ when Contains(text, "client version") => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine speaks another API version than before: {text}.", "A version is agreed on anew."),
            // Its own helper is away: being restarted, as by an upgrade. As with the engine itself, nothing is said of an image by it.
            _ when Contains(text, "containerd.sock") || Contains(text, "transport is closing") || Contains(text, "ttrpc: closed") => new(ProblemCatalog.EngineContainerd,
                $"Docker Engine could not {action}: it does not reach containerd ({text}).", $"Look at 'systemctl status containerd'. {ExceptionMapping.RetriesAutomatically}"),
            _ when Contains(text, "driver failed programming external connectivity") || Contains(text, "iptables") => new(ProblemCatalog.EngineNetwork,
                $"Docker Engine could not {action}: {text}.", $"Its rules in the firewall may have been flushed: 'systemctl restart docker' makes them anew. {ExceptionMapping.RetriesAutomatically}"),
            _ when Contains(text, "cannot allocate memory") || Contains(text, "resource temporarily unavailable") => new(ProblemCatalog.EngineShort,
                $"Docker Engine could not {action}: {text}.", $"The machine is short of memory or processes. {ExceptionMapping.RetriesAutomatically}"),
            _ when status == HttpStatusCode.NotFound && Contains(text, "no such image") => new(ProblemCatalog.ImageMissing,
                $"Docker Engine could not {action}: the image is no longer on disk.", "It is pulled again."),
            _ when BindSourceMissing().Match(text) is { Success: true } missing => VolumeFolders.MissingProblem(missing.Groups[1].Value),
            _ when Contains(text, "mount") && (Contains(text, "invalid mount") || Contains(text, "mount path") || Contains(text, "mounting") || Contains(text, "mount source path")) => new(ProblemCatalog.EngineMount,
                $"Docker Engine could not {action}: {text}.", "Correct container.volumes in the configuration."),
            _ when Contains(text, "unable to find user") || Contains(text, "no matching entries in passwd") => new(ProblemCatalog.EngineUser,
                $"Docker Engine could not {action}: {text}.", "Correct container.user in the configuration, or write it as uid:gid."),
            _ when IsCorruptLayer(text) => CorruptLayer(action, text),
            _ => new(ProblemCatalog.EngineRefused, $"Docker Engine could not {action}: {text}.", ExceptionMapping.RetriesAutomatically),
        };
    }

    /// <summary>What an engine says when the files of a layer are not as it left them: after a power cut, or when someone cleaned up by hand.</summary>
    /// <remarks>
    /// With its own store it names its folder (overlay2) or a layer that does not exist; with containerd's, a snapshot's parent or a blob. A file inside
    /// the container is not meant, and neither is an error that a broken disk or a lack of space explains.
    /// </remarks>
    public static bool IsCorruptLayer(string text) =>
        Contains(text, "layer does not exist") ||
        (Contains(text, "layerdb") && Contains(text, "file exists")) ||   // the remains of a layer are in the way of the same layer
        LayerFileMissing().IsMatch(text) ||
        (Contains(text, "missing parent") && Contains(text, "bucket")) ||
        (Contains(text, "parent snapshot") && Contains(text, "does not exist")) ||
        BlobMissing().IsMatch(text);

    public static Problem CorruptLayer(string action, string text) => new(ProblemCatalog.ImageCorrupt,
        $"Docker Engine could not {action}: a layer of the image on disk is broken ({StripWrappers(text)}).", "The image is removed and pulled again as soon as the registry answers.");

    /// <summary>What the engine says without the names of the layers that passed it on, and without the runtime's guesses behind it.</summary>
    private static string StripWrappers(string message)
    {
        var text = message.Trim();
        foreach (var layer in (string[])["failed to create shim task: ", "failed to create task for container: ", "OCI runtime create failed: ", "runc create failed: ",
            "unable to start container process: ", "error during container init: "])
        {
            text = text.Replace(layer, "", StringComparison.OrdinalIgnoreCase);
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
                    : $"Run it as root (sudo), or add the user '{Environment.UserName}' to the group that owns the socket (usually 'docker')."),
            _ when !File.Exists(socket) => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine is not running: its socket {socket} does not exist.",
                "Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it."),
            SocketError.ConnectionRefused => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine is not running: nothing listens on {socket}.", "Start it with 'systemctl start docker'; the agent waits for it."),
            _ => new(ProblemCatalog.EngineUnreachable,
                $"Docker Engine's connection on {socket} broke: {ExceptionMapping.DescribeCause(exception)}.", "Look at 'systemctl status docker'; the agent tries again by itself."),
        };
    }

    /// <summary>The engine's own words in a refusal.</summary>
    public static string ErrorMessage(DockerApiException exception)
    {
        try
        {
            using var body = JsonDocument.Parse(exception.ResponseBody ?? "");
            return body.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "" : exception.ResponseBody ?? "";
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return exception.ResponseBody is { Length: > 0 } text ? text : $"HTTP {(int)exception.StatusCode}";
        }
    }

    // A layer's own files and mount points only: …/merged/some/file would be inside the container.
    [GeneratedRegex(@"/overlay2(/l(/\w+)?|/[0-9a-z]+(-init)?(/(link|lower|committed|diff|merged|work))?)?: (no such file or directory|too many levels of symbolic links|invalid argument|not a directory)", RegexOptions.IgnoreCase)]
    private static partial Regex LayerFileMissing();

    [GeneratedRegex(@"bind source path does not exist: (.+)$", RegexOptions.IgnoreCase)]
    private static partial Regex BindSourceMissing();

    [GeneratedRegex(@"(content( digest)?|blob) sha256:[0-9a-f]{64}:? not found", RegexOptions.IgnoreCase)]
    private static partial Regex BlobMissing();

    private static bool Contains(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true;
}
