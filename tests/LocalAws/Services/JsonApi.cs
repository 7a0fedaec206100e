using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Signing;

namespace LocalAws.Services;

/// <summary>The AWS JSON 1.1 protocol: reads a call, verifies its signature, calls the service and writes the response or error.</summary>
internal sealed class JsonApi(IReadOnlyList<IJsonService> services, SignatureVerifier verifier, RequestInterceptor interceptor)
{
    private const string ContentType = "application/x-amz-json-1.1";

    public async Task HandleAsync(HttpContext context)
    {
        context.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        try
        {
            await WriteAsync(context, StatusCodes.Status200OK, await CallAsync(context));
        }
        catch (AwsErrorException refusal)
        {
            var error = refusal.Error;
            context.Response.Headers["x-amzn-ErrorType"] = error.Type;
            var body = new JsonObject { ["__type"] = error.Type };
            if (error.Message is { } message)
            {
                body["message"] = message;
            }

            await WriteAsync(context, error.Status, body);
        }
    }

    private async Task<JsonObject> CallAsync(HttpContext context)
    {
        var body = await RequestAuthentication.ReadBodyAsync(context);
        var target = context.Request.Headers["X-Amz-Target"].ToString().Split('.', 2);
        if (target.Length < 2 || services.FirstOrDefault(s => s.TargetPrefix == target[0]) is not { } service)
        {
            await interceptor.InterceptAsync(context, "unknown", "unknown", string.Join('.', target), null);
            throw new AwsErrorException(AwsError.BadRequest("UnknownOperationException", null));
        }
        var action = $"{service.SigningName}:{target[1]}";
        var input = Parse(body);
        var resource = input is null ? "*" : service.ResourceOf(target[1], input);
        var (caller, refusal) = RequestAuthentication.Verify(verifier, context, body, service.SigningName);
        var fault = await interceptor.InterceptAsync(context, action, service.SigningName, resource, caller?.PrincipalArn);
        if (fault is Fault.Error error)
        {
            throw new AwsErrorException(ToAwsError(error, caller, action, resource));
        }

        if (refusal is not null)
        {
            throw refusal;
        }

        if (input is null)
        {
            throw new AwsErrorException(AwsError.BadRequest("SerializationException", "The request body is not a JSON object."));
        }

        return service.Handle(target[1], input, caller!.PrincipalArn);
    }

    private static AwsError ToAwsError(Fault.Error fault, AwsCredential? caller, string action, string resource)
    {
        var type = fault.Type ?? "InternalServerError";
        var (message, status) = type switch
        {
            "AccessDeniedException" => (AccessDeniedMessage.Format(caller?.PrincipalArn, action, resource), StatusCodes.Status400BadRequest),
            "ThrottlingException" => ("Rate exceeded", StatusCodes.Status400BadRequest),
            "ExpiredTokenException" => ("The security token included in the request is expired", StatusCodes.Status400BadRequest),
            "InternalServerError" => ("An error occurred on the server side.", StatusCodes.Status500InternalServerError),
            "ServerException" => ("The server failed to process the request.", StatusCodes.Status500InternalServerError),
            "ServiceUnavailableException" => ("Service is temporarily unavailable.", StatusCodes.Status503ServiceUnavailable),
            _ => (null, StatusCodes.Status400BadRequest),
        };
        return new AwsError(type, fault.Message ?? message, fault.Status ?? status);
    }

    private static JsonObject? Parse(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, JsonObject body)
    {
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString());
        context.Response.StatusCode = status;
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
