using System.Text;
using System.Xml.Linq;
using LocalAws.Ec2;
using LocalAws.Faults;
using LocalAws.Signing;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalAws.Services;

/// <summary>EC2's protocol: takes a form, answers XML and has its own error codes.</summary>
internal sealed class QueryApi(Ec2Service ec2, SignatureVerifier verifier, RequestInterceptor interceptor)
{
    /// <summary>Only this protocol sends forms.</summary>
    public static bool CanHandle(HttpRequest request) => request.HasFormContentType;

    public async Task HandleAsync(HttpContext context)
    {
        var id = Guid.NewGuid().ToString();
        try
        {
            var body = await RequestAuthentication.ReadBodyAsync(context);
            var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body))
                .ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
            await WriteAsync(context, StatusCodes.Status200OK, await CallAsync(context, body, form, id));
        }
        catch (AwsErrorException refusal)
        {
            var error = ToEc2Error(refusal.Error);
            await WriteAsync(context, error.Status, new XElement("Response",
                new XElement("Errors", new XElement("Error", new XElement("Code", error.Type), new XElement("Message", error.Message))), new XElement("RequestID", id)));
        }
    }

    private async Task<XElement> CallAsync(HttpContext context, byte[] body, Dictionary<string, string> form, string id)
    {
        var action = form.GetValueOrDefault("Action", "");
        var resource = ec2.ResourceOf(form);
        var (caller, refusal) = RequestAuthentication.Verify(verifier, context, body, Ec2Service.SigningName);
        var fault = await interceptor.InterceptAsync(context, $"{Ec2Service.SigningName}:{action}", Ec2Service.SigningName, resource, caller?.PrincipalArn);
        if (fault is Fault.Error error)
        {
            throw new AwsErrorException(ToAwsError(error, caller, action, resource));
        }

        if (refusal is not null)
        {
            throw refusal;
        }

        return ec2.Handle(action, form, id);
    }

    private static AwsError ToAwsError(Fault.Error fault, AwsCredential? caller, string action, string resource)
    {
        var type = fault.Type ?? "InternalError";
        var (message, status) = type switch
        {
            "UnauthorizedOperation" => ($"You are not authorized to perform this operation. {AccessDeniedMessage.Format(caller?.PrincipalArn, $"ec2:{action}", resource)}. "
                + $"Encoded authorization failure message: {new string('x', 600)}", StatusCodes.Status403Forbidden),
            "RequestLimitExceeded" => ("Request limit exceeded.", StatusCodes.Status503ServiceUnavailable),
            "RequestExpired" => ("Request has expired.", StatusCodes.Status400BadRequest),
            "InternalError" => ("An internal error has occurred", StatusCodes.Status500InternalServerError),
            "Unavailable" => ("The service is unavailable. Please try again shortly.", StatusCodes.Status503ServiceUnavailable),
            "OperationNotPermitted" => (
                $"The instance '{resource.Split('/')[^1]}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
                StatusCodes.Status400BadRequest),
            "UnsupportedOperation" => ($"The instance '{resource.Split('/')[^1]}' does not have an 'ebs' root device type and cannot be stopped.", StatusCodes.Status400BadRequest),
            _ => ("", StatusCodes.Status400BadRequest),
        };
        return new AwsError(type, fault.Message ?? message, fault.Status ?? status);
    }

    /// <summary>Translates the verifier's error types, which are those of the JSON services.</summary>
    private static AwsError ToEc2Error(AwsError error) => error.Type switch
    {
        "UnrecognizedClientException" => new AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", StatusCodes.Status401Unauthorized),
        "ExpiredTokenException" => new AwsError("RequestExpired", "Request has expired.", StatusCodes.Status400BadRequest),
        "InvalidSignatureException" => new AwsError("SignatureDoesNotMatch", error.Message, StatusCodes.Status403Forbidden),
        "IncompleteSignatureException" => new AwsError("IncompleteSignature", error.Message, StatusCodes.Status400BadRequest),
        "MissingAuthenticationTokenException" => new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", StatusCodes.Status403Forbidden),
        _ => error,
    };

    private static async Task WriteAsync(HttpContext context, int status, XElement document)
    {
        var bytes = Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml;charset=UTF-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
