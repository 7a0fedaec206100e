using System.Text;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Services;

namespace LocalAws.Registry;

/// <summary>An error in the registry API's format, with ECR's messages.</summary>
internal sealed record RegistryError(int Status, string Code, string Message, int? RetryAfterSeconds = null)
{
    public static RegistryError TokenExpired { get; } =
        new(StatusCodes.Status403Forbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");

    public static RegistryError ImageNotFound { get; } =
        new(StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "Requested image not found");

    public static RegistryError RepositoryNotFound(string name, string account) =>
        new(StatusCodes.Status404NotFound, "NAME_UNKNOWN", $"The repository with name '{name}' does not exist in the registry with id '{account}'");

    /// <summary>A fault's error. Null values are replaced with what ECR sends for that code.</summary>
    public static RegistryError FromFault(Fault.Error fault, string? principal, string action, string resource)
    {
        var code = fault.Type ?? "UNKNOWN";
        var (status, message) = code switch
        {
            "DENIED" => (StatusCodes.Status403Forbidden, AccessDeniedMessage.Format(principal, action, resource)),
            "TOOMANYREQUESTS" => (StatusCodes.Status429TooManyRequests, "Rate exceeded"),
            "UNSUPPORTED" => (StatusCodes.Status405MethodNotAllowed, "The operation is unsupported."),
            "NAME_UNKNOWN" or "MANIFEST_UNKNOWN" or "BLOB_UNKNOWN" => (StatusCodes.Status404NotFound, "Requested image not found"),
            _ => (StatusCodes.Status500InternalServerError, "An unknown error has occurred."),
        };
        var retryAfter = fault.RetryAfterSeconds ?? (code == "TOOMANYREQUESTS" ? 1 : null);
        return new RegistryError(fault.Status ?? status, code, fault.Message ?? message, retryAfter);
    }

    public async Task WriteAsync(HttpContext context)
    {
        var body = new JsonObject { ["errors"] = new JsonArray(new JsonObject { ["code"] = Code, ["message"] = Message }) };
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = bytes.Length;
        response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (context.Request.Method != "HEAD")
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }
}
