using System.Text;
using System.Xml.Linq;
using LocalAws.Faults;
using LocalAws.Route53;
using LocalAws.Signing;

namespace LocalAws.Services;

/// <summary>Route 53's protocol: method and path name the operation; takes and answers XML and has its own error codes.</summary>
internal sealed class RestXmlApi(Route53Service route53, SignatureVerifier verifier, RequestInterceptor interceptor)
{
    public async Task HandleAsync(HttpContext context)
    {
        var id = Guid.NewGuid().ToString();
        context.Response.Headers["x-amzn-RequestId"] = id;
        try
        {
            await WriteAsync(context, StatusCodes.Status200OK, await CallAsync(context));
        }
        catch (AwsErrorException refusal)
        {
            var error = ToRoute53Error(refusal.Error);
            var xmlns = Route53Service.Xmlns;
            await WriteAsync(context, error.Status, new XElement(xmlns + "ErrorResponse",
                new XElement(xmlns + "Error",
                    new XElement(xmlns + "Type", error.Status >= StatusCodes.Status500InternalServerError ? "Receiver" : "Sender"),
                    new XElement(xmlns + "Code", error.Type),
                    new XElement(xmlns + "Message", error.Message)),
                new XElement(xmlns + "RequestId", id)));
        }
    }

    private async Task<XElement> CallAsync(HttpContext context)
    {
        var body = await RequestAuthentication.ReadBodyAsync(context);
        var (action, resource) = Route53Service.ParseAction(context.Request);
        var (caller, refusal) = RequestAuthentication.Verify(verifier, context, body, Route53Service.SigningName);
        var fault = await interceptor.InterceptAsync(context, $"{Route53Service.SigningName}:{action}", Route53Service.SigningName, resource, caller?.PrincipalArn);
        if (fault is Fault.Error error)
        {
            throw new AwsErrorException(ToAwsError(error, caller, action, resource));
        }

        if (refusal is not null)
        {
            throw refusal;
        }

        return route53.Handle(context.Request, body);
    }

    private static AwsError ToAwsError(Fault.Error fault, AwsCredential? caller, string action, string resource)
    {
        var type = fault.Type ?? "InternalFailure";
        var (message, status) = type switch
        {
            "AccessDenied" => (AccessDeniedMessage.Format(caller?.PrincipalArn, $"{Route53Service.SigningName}:{action}", resource), StatusCodes.Status403Forbidden),
            "Throttling" => ("Rate exceeded", StatusCodes.Status400BadRequest),
            "PriorRequestNotComplete" => ("The request was rejected because Route 53 was still processing a prior request.", StatusCodes.Status400BadRequest),
            "ServiceUnavailable" => ("The service is unavailable. Please try again shortly.", StatusCodes.Status503ServiceUnavailable),
            "InternalFailure" => ("An internal error has occurred", StatusCodes.Status500InternalServerError),
            _ => ("", StatusCodes.Status400BadRequest),
        };
        return new AwsError(type, fault.Message ?? message, fault.Status ?? status);
    }

    /// <summary>The verifier speaks as the JSON services do.</summary>
    private static AwsError ToRoute53Error(AwsError error) => error.Type switch
    {
        "UnrecognizedClientException" => new AwsError("InvalidClientTokenId", "The security token included in the request is invalid", StatusCodes.Status403Forbidden),
        "ExpiredTokenException" => new AwsError("ExpiredToken", "The security token included in the request is expired", StatusCodes.Status403Forbidden),
        "InvalidSignatureException" => new AwsError("SignatureDoesNotMatch", error.Message, StatusCodes.Status403Forbidden),
        "IncompleteSignatureException" => new AwsError("IncompleteSignature", error.Message, StatusCodes.Status400BadRequest),
        "MissingAuthenticationTokenException" => new AwsError("MissingAuthenticationToken", "Missing Authentication Token", StatusCodes.Status403Forbidden),
        _ => error,
    };

    private static async Task WriteAsync(HttpContext context, int status, XElement document)
    {
        var bytes = Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?>\n{document.ToString(SaveOptions.DisableFormatting)}");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
