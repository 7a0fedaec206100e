using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>What AWS's refusals mean, whichever client met them.</summary>
internal static class AwsProblems
{
    /// <param name="type">AWS's error type, such as <c>AccessDeniedException</c>.</param>
    /// <param name="message">AWS's own words; it names role, action and resource in a denial.</param>
    /// <param name="doing">What was tried, as in "reading the parameter /a/b".</param>
    /// <param name="action">The IAM action that is needed for it.</param>
    /// <param name="on">What it must be allowed on: the resource that was named, or all of them where IAM knows no other way.</param>
    public static Problem From(string? type, string? message, string doing, string action, string on = "it")
    {
        var said = message is null ? "no reason given" : WithoutCipher(message).TrimEnd('.', ' ');
        return type switch
        {
            "AccessDeniedException" or "AccessDenied" when said.Contains("ciphertext", StringComparison.OrdinalIgnoreCase) => new("aws-key-denied",
                $"AWS refuses {doing}: the key that encrypts it may not be used ({said}).", "Allow kms:Decrypt on that key to the instance role; no restart is needed."),
            "AccessDeniedException" or "AccessDenied" or "UnauthorizedOperation" => new("aws-denied",
                $"AWS denies {doing}: {said}.", $"Allow {action} on {on} to the instance role; no restart is needed."),
            "ThrottlingException" or "Throttling" or "TooManyRequestsException" or "RequestLimitExceeded" or "PriorRequestNotComplete" => new("aws-throttled", $"AWS throttles {doing}.", Problems.TriesAgain),
            "ExpiredTokenException" or "ExpiredToken" => new("aws-credentials-expired", $"AWS refuses {doing}: the credentials have expired.",
                "New ones are asked for by themselves; if this stays, check the clock ('timedatectl')."),
            "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestExpired" or "RequestTimeTooSkewed" => new("aws-signature",
                $"AWS refuses the signature of {doing}: {said}.", "Most often the clock is wrong: check 'timedatectl'. Otherwise the credentials are damaged."),
            "UnrecognizedClientException" or "InvalidClientTokenId" or "AuthFailure" => new("aws-credentials-unknown",
                $"AWS does not know the credentials used for {doing}.", "Check the instance role, or the AWS variables and profile that the agent was given."),
            "InternalServerError" or "InternalFailure" or "InternalError" or "ServerException" or "ServiceUnavailable" or "Unavailable" => new("aws-server", $"AWS failed at {doing}: {said}.", Problems.TriesAgain),
            _ => new("aws-refused", $"AWS refuses {doing}: {said}{(type is null ? "" : $" ({type})")}.", Problems.TriesAgain),
        };
    }

    /// <summary>EC2 adds to a denial a long code that only an administrator can read.</summary>
    private static string WithoutCipher(string message) =>
        message.IndexOf(" Encoded authorization failure message:", StringComparison.Ordinal) is var at and >= 0 ? message[..at] : message;

    /// <summary>Other credentials may change it.</summary>
    public static bool IsOfCredentials(Problem problem) =>
        problem.Code is "aws-denied" or "aws-key-denied" or "aws-credentials-expired" or "aws-credentials-unknown" or "aws-signature";
}
