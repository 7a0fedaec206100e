using RagAgent.Common;

namespace RagAgent.Aws;

/// <summary>What AWS's refusals mean, whichever client met them.</summary>
internal static class AwsProblems
{
    /// <param name="type">AWS's error type, such as <c>AccessDeniedException</c>.</param>
    /// <param name="message">AWS's own words; it names role, action and resource in a denial.</param>
    /// <param name="attempt">What was tried, as in "reading the parameter /a/b".</param>
    /// <param name="action">The IAM action that is needed for it.</param>
    /// <param name="resource">What it must be allowed on: the resource that was named, or all of them where IAM knows no other way.</param>
    public static Problem From(string? type, string? message, string attempt, string action, string resource = "it")
    {
        var reason = message is null ? "no reason given" : StripEncodedMessage(message).TrimEnd('.', ' ');
        return type switch
        {
            "AccessDeniedException" or "AccessDenied" when reason.Contains("ciphertext", StringComparison.OrdinalIgnoreCase) => new(ProblemCatalog.AwsKeyDenied,
                $"AWS refuses {attempt}: the key that encrypts it may not be used ({reason}).", "Allow kms:Decrypt on that key to the instance role; no restart is needed."),
            "AccessDeniedException" or "AccessDenied" or "UnauthorizedOperation" => new(ProblemCatalog.AwsDenied,
                $"AWS denies {attempt}: {reason}.", $"Allow {action} on {resource} to the instance role; no restart is needed."),
            "ThrottlingException" or "Throttling" or "TooManyRequestsException" or "RequestLimitExceeded" or "PriorRequestNotComplete" => new(ProblemCatalog.AwsThrottled, $"AWS throttles {attempt}.", ExceptionMapping.RetriesAutomatically),
            "ExpiredTokenException" or "ExpiredToken" => new(ProblemCatalog.AwsCredentialsExpired, $"AWS refuses {attempt}: the credentials have expired.",
                "New ones are asked for by themselves; if this stays, check the clock ('timedatectl')."),
            "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestExpired" or "RequestTimeTooSkewed" => new(ProblemCatalog.AwsSignature,
                $"AWS refuses the signature of {attempt}: {reason}.", "Most often the clock is wrong: check 'timedatectl'. Otherwise the credentials are damaged."),
            "UnrecognizedClientException" or "InvalidClientTokenId" or "AuthFailure" => new(ProblemCatalog.AwsCredentialsUnknown,
                $"AWS does not know the credentials used for {attempt}.", "Check the instance role, or the AWS variables and profile that the agent was given."),
            "InternalServerError" or "InternalFailure" or "InternalError" or "ServerException" or "ServiceUnavailable" or "Unavailable" => new(ProblemCatalog.AwsServer, $"AWS failed at {attempt}: {reason}.", ExceptionMapping.RetriesAutomatically),
            _ => new(ProblemCatalog.AwsRefused, $"AWS refuses {attempt}: {reason}{(type is null ? "" : $" ({type})")}.", ExceptionMapping.RetriesAutomatically),
        };
    }

    /// <summary>EC2 adds to a denial a long code that only an administrator can read.</summary>
    private static string StripEncodedMessage(string message) =>
        message.IndexOf(" Encoded authorization failure message:", StringComparison.Ordinal) is var at and >= 0 ? message[..at] : message;

    /// <summary>Other credentials may change it.</summary>
    public static bool IsCredentialsProblem(Problem problem) =>
        problem.Kind.DependsOn == Dependency.Credentials;
}
