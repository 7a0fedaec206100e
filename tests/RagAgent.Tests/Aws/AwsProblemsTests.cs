using RagAgent.Aws;
using Xunit;

namespace RagAgent.Tests.Aws;

public class AwsProblemsTests
{
    private const string Operation = "reading the parameter /a";
    private const string Denied = "User: arn:aws:sts::1:assumed-role/rag/i-0 is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:eu-central-1:1:parameter/a";

    [Theory]
    [InlineData("AccessDeniedException", Denied, "aws-denied", "AWS denies reading the parameter /a: " + Denied + ".", "Allow ssm:GetParameter on it to the instance role; no restart is needed.")]
    [InlineData("AccessDenied", Denied, "aws-denied", "AWS denies reading the parameter /a: " + Denied + ".", "Allow ssm:GetParameter on it to the instance role; no restart is needed.")]
    [InlineData("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist.", "aws-key-denied",
        "AWS refuses reading the parameter /a: the key that encrypts it may not be used (The ciphertext refers to a customer master key that does not exist).",
        "Allow kms:Decrypt on that key to the instance role; no restart is needed.")]
    [InlineData("ThrottlingException", "Rate exceeded", "aws-throttled", "AWS throttles reading the parameter /a.", "The agent tries again by itself.")]
    [InlineData("TooManyRequestsException", null, "aws-throttled", "AWS throttles reading the parameter /a.", "The agent tries again by itself.")]
    [InlineData("ExpiredTokenException", "The security token included in the request is expired", "aws-credentials-expired",
        "AWS refuses reading the parameter /a: the credentials have expired.", "New ones are asked for by themselves; if this stays, check the clock ('timedatectl').")]
    [InlineData("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z", "aws-signature",
        "AWS refuses the signature of reading the parameter /a: Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z.",
        "Most often the clock is wrong: check 'timedatectl'. Otherwise the credentials are damaged.")]
    [InlineData("UnrecognizedClientException", "The security token included in the request is invalid.", "aws-credentials-unknown",
        "AWS does not know the credentials used for reading the parameter /a.", "Check the instance role, or the AWS variables and profile that the agent was given.")]
    [InlineData("InternalServerError", "Oops.", "aws-server", "AWS failed at reading the parameter /a: Oops.", "The agent tries again by itself.")]
    [InlineData("ServerException", null, "aws-server", "AWS failed at reading the parameter /a: no reason given.", "The agent tries again by itself.")]
    [InlineData("NewException", "Something new.", "aws-refused", "AWS refuses reading the parameter /a: Something new (NewException).", "The agent tries again by itself.")]
    [InlineData(null, "HTTP 418", "aws-refused", "AWS refuses reading the parameter /a: HTTP 418.", "The agent tries again by itself.")]
    public void Every_type_of_refusal_has_its_sentence(string? type, string? message, string code, string what, string remedy)
    {
        var problem = AwsProblems.From(type, message, Operation, "ssm:GetParameter");

        Assert.Equal((code, what, remedy), (problem.Code, problem.What, problem.Remedy));
    }
}
