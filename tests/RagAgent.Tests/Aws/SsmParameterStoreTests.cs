using Microsoft.AspNetCore.Http;
using RagAgent.Aws;
using RagAgent.Common;
using RagAgent.Secrets;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public sealed class SsmParameterStoreTests : IAsyncLifetime
{
    private RequestDelegate _handler = _ => Task.CompletedTask;
    private TestServer _ssm = null!;
    private AwsEnvironment _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _ssm = await TestServer.StartAsync(context => _handler(context));
        _aws = new AwsEnvironment(("AWS_ENDPOINT_URL_SSM", _ssm.Address.ToString()), ("AWS_MAX_ATTEMPTS", "1"));
    }

    public async ValueTask DisposeAsync()
    {
        _aws.Dispose();
        await _ssm.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_SecureString_is_read_decrypted_with_its_version()
    {
        Respond("SecureString");

        var secret = await ReadAsync();

        Assert.Equal(("sk-1\n", "3", null), (secret.Value.Reveal(), secret.Version, secret.Warning));
        var context = Assert.Single(_ssm.Requests);
        Assert.Equal(("AmazonSSM.GetParameter", """{"Name":"/key","WithDecryption":true}"""), (context.Headers["X-Amz-Target"], context.Body));
        Assert.Contains("/eu-central-1/ssm/aws4_request", context.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_plain_string_works_with_a_warning()
    {
        Respond("String");

        Assert.Equal(
            "The parameter /key is a String, stored in plain text: make it a SecureString " +
            "('aws ssm put-parameter --name /key --type SecureString --overwrite --value file://key.txt').",
            (await ReadAsync()).Warning);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("ParameterNotFound", "ssm-parameter-missing", "The parameter /key does not exist in eu-central-1.")]
    [InlineData("ParameterVersionNotFound", "ssm-version-missing", "The parameter /key has no such version or label.")]
    [InlineData("AccessDeniedException", "aws-denied", "AWS denied the request to read the parameter /key: said why.")]
    [InlineData("ThrottlingException", "aws-throttled", "AWS is throttling the request to read the parameter /key.")]
    [InlineData("ExpiredTokenException", "aws-credentials-expired", "AWS refused to read the parameter /key: the credentials have expired.")]
    public async Task A_refusal_of_Parameter_Store_is_reported_by_its_type(string type, string code, string what)
    {
        _handler = context => AwsEnvironment.RespondWithErrorAsync(context, 400, type, "said why");

        var refused = await AssertProblem.ThrownAsync(ReadAsync);

        Assert.Equal((code, what), (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_remedy_for_a_missing_parameter_of_the_app_stores_the_key()
    {
        _handler = context => AwsEnvironment.RespondWithErrorAsync(context, 400, "ParameterNotFound", "");

        Assert.Equal(
            "Create it with 'aws ssm put-parameter --name /key --type SecureString --value file://key.txt --region eu-central-1', " +
            "or correct secrets or aws.region in the configuration. " + ExceptionMapping.RetriesAutomatically,
            (await AssertProblem.ThrownAsync(ReadAsync)).Remedy);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_remedy_for_a_missing_parameter_of_the_password_stores_its_hash()
    {
        _handler = context => AwsEnvironment.RespondWithErrorAsync(context, 400, "ParameterNotFound", "");

        Assert.Equal(
            "Make the hash with 'ragagent password > hash.txt'. " +
            "Create it with 'aws ssm put-parameter --name /key --type SecureString --value file://hash.txt --region eu-central-1', " +
            "or correct access.password or aws.region in the configuration. " + ExceptionMapping.RetriesAutomatically,
            (await AssertProblem.ThrownAsync(() => ReadAsync(SecretPurpose.Password))).Remedy);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("45", 45)]
    [InlineData("3600", 600)]
    [InlineData(null, null)]
    public async Task The_Retry_After_of_a_refusal_by_Parameter_Store_is_passed_on(string? retryAfter, int? seconds)
    {
        _handler = context =>
        {
            context.Response.Headers.RetryAfter = retryAfter;
            return AwsEnvironment.RespondWithErrorAsync(context, 400, "ThrottlingException", "said why");
        };

        Assert.Equal(seconds, (int?)(await AssertProblem.ThrownAsync(ReadAsync)).RetryAfter?.TotalSeconds);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_unreachable_Parameter_Store_is_reported_with_its_cause()
    {
        await _ssm.DisposeAsync();

        var refused = await AssertProblem.ThrownAsync(ReadAsync);

        Assert.Equal(("ssm-unreachable", "Parameter Store in eu-central-1 can't be reached: the connection was refused."), (refused.Code, refused.What));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("<html>canary7731")]
    [InlineData("{}")]
    public async Task An_invalid_response_of_Parameter_Store_is_a_problem_and_is_not_shown(string body)
    {
        _handler = context => context.Response.WriteAsync(body);

        var thrown = await Assert.ThrowsAsync<ProblemException>(ReadAsync);

        Assert.DoesNotContain("canary7731", thrown.Problem.ToString(), StringComparison.Ordinal);
    }

    private void Respond(string type) => _handler = context =>
    {
        context.Response.ContentType = "application/x-amz-json-1.1";
        return context.Response.WriteAsync($$"""{ "Parameter": { "Name": "/key", "Type": "{{type}}", "Value": "sk-1\n", "Version": 3 } }""");
    };

    private static Task<RawSecret> ReadAsync() => ReadAsync(SecretPurpose.App);

    private static async Task<RawSecret> ReadAsync(SecretPurpose purpose)
    {
        using var account = AwsEnvironment.CreateAccount();
        return await new SsmParameterStore(account, TimeProvider.System).ReadAsync("/key", purpose, TestContext.Current.CancellationToken);
    }
}
