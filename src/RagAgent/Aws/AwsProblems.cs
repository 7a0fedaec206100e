using RagAgent.Common;

namespace RagAgent.Aws;

/// <summary>Translates AWS's error types into problems, for all clients.</summary>
internal static class AwsProblems
{
    /// <param name="type">AWS's error type, such as <c>AccessDeniedException</c>.</param>
    /// <param name="message">AWS's own text. A denial names the role, the action and the resource.</param>
    /// <param name="attempt">A verb phrase for what was tried, such as "read the parameter /a/b".</param>
    /// <param name="action">The IAM action that the call needs.</param>
    /// <param name="resource">
    /// The resource that the policy must allow: the one in the message, or <c>'*'</c> if IAM has no finer one.
    /// </param>
    public static Problem From(string? type, string? message, string attempt, string action, string resource = "it")
    {
        var reason = message is null ? "no reason given" : StripEncodedMessage(message).TrimEnd('.', ' ');
        return type switch
        {
            "AccessDeniedException" or "AccessDenied" when reason.Contains("ciphertext", StringComparison.OrdinalIgnoreCase) => new(
                ProblemCatalog.AwsKeyDenied,
                $"AWS refused to {attempt}: the instance role may not use the key that encrypts it ({reason}).",
                "Allow the instance role kms:Decrypt on that key. No restart is needed."),
            "AccessDeniedException" or "AccessDenied" or "UnauthorizedOperation" => new(ProblemCatalog.AwsDenied,
                $"AWS denied the request to {attempt}: {reason}.",
                $"Allow the instance role {action} on {resource}. No restart is needed."),
            "ThrottlingException" or "Throttling" or "TooManyRequestsException" or "RequestLimitExceeded" or "PriorRequestNotComplete" =>
                new(ProblemCatalog.AwsThrottled, $"AWS is throttling the request to {attempt}.", ExceptionMapping.RetriesAutomatically),
            "ExpiredTokenException" or "ExpiredToken" => new(ProblemCatalog.AwsCredentialsExpired,
                $"AWS refused to {attempt}: the credentials have expired.",
                "The agent requests new ones. If this persists, check the clock ('timedatectl')."),
            "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestExpired" or "RequestTimeTooSkewed" => new(
                ProblemCatalog.AwsSignature,
                $"AWS rejected the signature of the request to {attempt}: {reason}.",
                "Usually the clock is wrong: check 'timedatectl'. Otherwise the credentials are damaged."),
            "UnrecognizedClientException" or "InvalidClientTokenId" or "AuthFailure" => new(ProblemCatalog.AwsCredentialsUnknown,
                $"AWS doesn't recognize the credentials of the request to {attempt}.",
                "Check the instance role, or the AWS variables and profile that the agent uses."),
            "InternalServerError" or "InternalFailure" or "InternalError" or "ServerException" or "ServiceUnavailable" or "Unavailable" =>
                new(ProblemCatalog.AwsServer,
                    $"AWS failed to {attempt} because of an internal error: {reason}.", ExceptionMapping.RetriesAutomatically),
            _ => new(ProblemCatalog.AwsRefused,
                $"AWS refused to {attempt}: {reason}{(type is null ? "" : $" ({type})")}.", ExceptionMapping.RetriesAutomatically),
        };
    }

    /// <summary>Other credentials may solve the problem.</summary>
    public static bool IsCredentialsProblem(Problem problem) => problem.Kind.DependsOn == Dependency.Credentials;

    /// <summary>Removes the long code that EC2 appends to a denial and that only an administrator can decode.</summary>
    private static string StripEncodedMessage(string message) =>
        message.IndexOf(" Encoded authorization failure message:", StringComparison.Ordinal) is var at and >= 0 ? message[..at] : message;
}
