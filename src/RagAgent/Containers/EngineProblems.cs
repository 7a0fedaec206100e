using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Containers;

/// <summary>What the Docker Engine's failures mean. Its texts differ by version and image store: matched by their stable parts, without case.</summary>
internal static class EngineProblems
{
    /// <summary>The engine was not reached at all, or speaks another API version than was agreed on.</summary>
    public static bool MeansOutOfReach(Exception e) => e switch
    {
        DockerApiException api => api.StatusCode == HttpStatusCode.BadRequest && Has(api.ResponseBody, "client version"),
        HttpRequestException or IOException or SocketException => true,
        _ => false,
    };

    /// <summary>The engine does not know, or no longer knows, what the call was about.</summary>
    public static bool IsGone(ProblemException e) => e.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound };

    public static Problem From(Exception e, string what, string socket) => e switch
    {
        DockerApiException api => FromAnswer(Message(api), api.StatusCode, what),
        _ when MeansOutOfReach(e) => OutOfReach(e, socket),
        _ => Problems.From(e),
    };

    /// <summary>The engine's own words in an answer or in a progress stream.</summary>
    public static Problem FromAnswer(string message, HttpStatusCode status, string what)
    {
        var text = Essence(message);
        return text switch
        {
            _ when Has(text, "no space left on device") => new("disk-full",
                $"Docker Engine could not {what}: the disk is full.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."),
            _ when Has(text, "port is already allocated") || Has(text, "address already in use") => new("engine-port-taken",
                $"Docker Engine could not {what}: {text}.", $"See who listens with 'ss -ltnp'. {Problems.TriesAgain}"),
            _ when Has(text, "client version") => new(ProblemCodes.EngineUnreachable,
                $"Docker Engine speaks another API version than before: {text}.", "A version is agreed on anew."),
            _ when status == HttpStatusCode.NotFound && Has(text, "no such image") => new(ProblemCodes.ImageMissing,
                $"Docker Engine could not {what}: the image is no longer on disk.", "It is pulled again."),
            _ when Has(text, "mount") && (Has(text, "invalid mount") || Has(text, "mount path") || Has(text, "mounting") || Has(text, "mount source path")) => new("engine-mount",
                $"Docker Engine could not {what}: {text}.", "Correct container.volumes in the configuration."),
            _ when Has(text, "unable to find user") || Has(text, "no matching entries in passwd") => new("engine-user",
                $"Docker Engine could not {what}: {text}.", "Correct container.user in the configuration, or write it as uid:gid."),
            _ => new("engine-refused", $"Docker Engine could not {what}: {text}.", Problems.TriesAgain),
        };
    }

    /// <summary>What the engine says without the names of the layers that passed it on, and without the runtime's guesses behind it.</summary>
    private static string Essence(string message)
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

    private static Problem OutOfReach(Exception e, string socket)
    {
        var error = (e.GetBaseException() as SocketException)?.SocketErrorCode;
        return error switch
        {
            SocketError.AccessDenied => new(ProblemCodes.EngineUnreachable,
                $"Docker Engine's socket {socket} can't be opened: permission denied.",
                $"Add the agent's user '{Environment.UserName}' to the group that owns the socket (usually 'docker') and restart the agent."),
            _ when !File.Exists(socket) => new(ProblemCodes.EngineUnreachable,
                $"Docker Engine is not running: its socket {socket} does not exist.",
                "Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it."),
            SocketError.ConnectionRefused => new(ProblemCodes.EngineUnreachable,
                $"Docker Engine is not running: nothing listens on {socket}.", "Start it with 'systemctl start docker'; the agent waits for it."),
            _ => new(ProblemCodes.EngineUnreachable,
                $"Docker Engine's connection on {socket} broke: {Problems.Cause(e)}.", "Look at 'systemctl status docker'; the agent tries again by itself."),
        };
    }

    /// <summary>The engine's own words in a refusal.</summary>
    public static string Message(DockerApiException e)
    {
        try
        {
            using var body = JsonDocument.Parse(e.ResponseBody ?? "");
            return body.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "" : e.ResponseBody ?? "";
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return e.ResponseBody is { Length: > 0 } text ? text : $"HTTP {(int)e.StatusCode}";
        }
    }

    private static bool Has(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true;
}
