using System.Text;
using System.Xml.Linq;
using LocalAws.Faults;
using LocalAws.Route53;
using LocalAws.Signing;

namespace LocalAws.Services;

/// <summary>Route 53's protocol: the operation is in method and path, XML in and out, and error codes of its own.</summary>
internal sealed class RestXmlApi(Route53Service route53, SignatureVerifier verifier, Exchange exchange)
{
    public async Task AnswerAsync(HttpContext context)
    {
        var id = Guid.NewGuid().ToString();
        context.Response.Headers["x-amzn-RequestId"] = id;
        try
        {
            await WriteAsync(context, StatusCodes.Status200OK, await CallAsync(context));
        }
        catch (AwsErrorException refusal)
        {
            var error = InItsWords(refusal.Error);
            var answers = Route53Service.Answers;
            await WriteAsync(context, error.Status, new XElement(answers + "ErrorResponse",
                new XElement(answers + "Error",
                    new XElement(answers + "Type", error.Status >= StatusCodes.Status500InternalServerError ? "Receiver" : "Sender"),
                    new XElement(answers + "Code", error.Type),
                    new XElement(answers + "Message", error.Message)),
                new XElement(answers + "RequestId", id)));
        }
    }

    private async Task<XElement> CallAsync(HttpContext context)
    {
        var body = await SignedCall.ReadBodyAsync(context);
        var (action, resource) = Route53Service.Meant(context.Request);
        var (caller, refusal) = SignedCall.Verify(verifier, context, body, Route53Service.SigningName);
        var fault = await exchange.BeginAsync(context, $"{Route53Service.SigningName}:{action}", Route53Service.SigningName, resource, caller?.PrincipalArn);
        if (fault is Fault.Error error)
            throw new AwsErrorException(Complete(error, caller, action, resource));
        if (refusal is not null)
            throw refusal;
        return route53.Answer(context.Request, body);
    }

    private static AwsError Complete(Fault.Error fault, AwsCredential? caller, string action, string resource)
    {
        var type = fault.Type ?? "InternalFailure";
        var (message, status) = type switch
        {
            "AccessDenied" => (Denial.Sentence(caller?.PrincipalArn, $"{Route53Service.SigningName}:{action}", resource), StatusCodes.Status403Forbidden),
            "Throttling" => ("Rate exceeded", StatusCodes.Status400BadRequest),
            "PriorRequestNotComplete" => ("The request was rejected because Route 53 was still processing a prior request.", StatusCodes.Status400BadRequest),
            "ServiceUnavailable" => ("The service is unavailable. Please try again shortly.", StatusCodes.Status503ServiceUnavailable),
            "InternalFailure" => ("An internal error has occurred", StatusCodes.Status500InternalServerError),
            _ => ("", StatusCodes.Status400BadRequest),
        };
        return new AwsError(type, fault.Message ?? message, fault.Status ?? status);
    }

    /// <summary>The verifier speaks as the JSON services do.</summary>
    private static AwsError InItsWords(AwsError error) => error.Type switch
    {
        "UnrecognizedClientException" => new AwsError("InvalidClientTokenId", "The security token included in the request is invalid", StatusCodes.Status403Forbidden),
        "ExpiredTokenException" => new AwsError("ExpiredToken", "The security token included in the request is expired", StatusCodes.Status403Forbidden),
        "InvalidSignatureException" => new AwsError("SignatureDoesNotMatch", error.Message, StatusCodes.Status403Forbidden),
        "IncompleteSignatureException" => new AwsError("IncompleteSignature", error.Message, StatusCodes.Status400BadRequest),
        "MissingAuthenticationTokenException" => new AwsError("MissingAuthenticationToken", "Missing Authentication Token", StatusCodes.Status403Forbidden),
        _ => error,
    };

    private static async Task WriteAsync(HttpContext context, int status, XElement answer)
    {
        var bytes = Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?>\n{answer.ToString(SaveOptions.DisableFormatting)}");
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/xml";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
