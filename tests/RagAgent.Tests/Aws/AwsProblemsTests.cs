using RagAgent.Aws;
using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Aws;

public class AwsProblemsTests
{
    private const string Attempt = "read the parameter /a";
    private const string Denied = "User: arn:aws:sts::1:assumed-role/rag/i-0 is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:eu-central-1:1:parameter/a";

    [Theory]
    [InlineData(
        "AccessDeniedException", Denied, "aws-denied", "AWS denied the request to read the parameter /a: " + Denied + ".",
        "Allow the instance role ssm:GetParameter on it. No restart is needed.")]
    [InlineData(
        "AccessDenied", Denied, "aws-denied", "AWS denied the request to read the parameter /a: " + Denied + ".",
        "Allow the instance role ssm:GetParameter on it. No restart is needed.")]
    [InlineData("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist.", "aws-key-denied",
        "AWS refused to read the parameter /a: the instance role may not use the key that encrypts it (The ciphertext refers to a customer master key that does not exist).",
        "Allow the instance role kms:Decrypt on that key. No restart is needed.")]
    [InlineData("ThrottlingException", "Rate exceeded", "aws-throttled", "AWS is throttling the request to read the parameter /a.", ExceptionMapping.RetriesAutomatically)]
    [InlineData("TooManyRequestsException", null, "aws-throttled", "AWS is throttling the request to read the parameter /a.", ExceptionMapping.RetriesAutomatically)]
    [InlineData("ExpiredTokenException", "The security token included in the request is expired", "aws-credentials-expired",
        "AWS refused to read the parameter /a: the credentials have expired.", "The agent requests new ones. If this persists, check the clock ('timedatectl').")]
    [InlineData("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z", "aws-signature",
        "AWS rejected the signature of the request to read the parameter /a: Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z.",
        "Usually the clock is wrong: check 'timedatectl'. Otherwise the credentials are damaged.")]
    [InlineData("UnrecognizedClientException", "The security token included in the request is invalid.", "aws-credentials-unknown",
        "AWS doesn't recognize the credentials of the request to read the parameter /a.", "Check the instance role, or the AWS variables and profile that the agent uses.")]
    [InlineData("InternalServerError", "Oops.", "aws-server", "AWS failed to read the parameter /a because of an internal error: Oops.", ExceptionMapping.RetriesAutomatically)]
    [InlineData("ServerException", null, "aws-server", "AWS failed to read the parameter /a because of an internal error: no reason given.", ExceptionMapping.RetriesAutomatically)]
    [InlineData("NewException", "Something new.", "aws-refused", "AWS refused to read the parameter /a: Something new (NewException).", ExceptionMapping.RetriesAutomatically)]
    [InlineData(null, "HTTP 418", "aws-refused", "AWS refused to read the parameter /a: HTTP 418.", ExceptionMapping.RetriesAutomatically)]
    public void Every_error_type_of_AWS_has_its_sentence(string? type, string? message, string code, string what, string remedy)
    {
        var problem = AwsProblems.From(type, message, Attempt, "ssm:GetParameter");

        Assert.Equal((code, what, remedy), (problem.Code, problem.What, problem.Remedy));
    }
}
