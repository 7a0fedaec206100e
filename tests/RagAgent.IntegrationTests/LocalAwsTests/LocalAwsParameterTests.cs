using Amazon.Runtime;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using RagAgent.IntegrationTests.Support;
using Xunit;
using Fault = LocalAws.Faults.Fault;
using ParameterType = LocalAws.Ssm.ParameterType;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>Parameter Store as the AWS SDK for .NET sees it.</summary>
public class LocalAwsParameterTests : LocalAwsTestBase
{
    private const string Name = "/ragstream/OPENAI_API_KEY";
    private const string Arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY";

    [Fact]
    public async Task A_SecureString_is_decrypted_on_request()
    {
        Aws.Parameters.Put(Name, "sk-planted");

        var parameter = await GetAsync(Name);

        Assert.Equal(("sk-planted", 1L, Arn, "SecureString"), (parameter.Value, parameter.Version, parameter.ARN, parameter.Type.Value));
    }

    [Fact]
    public async Task A_SecureString_without_decryption_is_ciphertext_and_not_an_error()
    {
        Aws.Parameters.Put(Name, "sk-planted");

        var parameter = await GetAsync(Name, decrypt: false);

        Assert.StartsWith("AQICAH", parameter.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Name, "second")]
    [InlineData(Name + ":1", "first")]
    [InlineData(Arn, "second")]
    [InlineData(Arn + ":1", "first")]
    public async Task A_parameter_is_found_by_every_form_of_its_name(string asked, string expected)
    {
        Aws.Parameters.Put(Name, "first");
        Aws.Parameters.Put(Name, "second");

        Assert.Equal(expected, (await GetAsync(asked)).Value);
    }

    [Fact]
    public async Task A_missing_parameter_and_a_missing_version_have_their_own_errors()
    {
        Aws.Parameters.Put(Name, "first");

        await Assert.ThrowsAsync<ParameterNotFoundException>(() => GetAsync("/ragstream/NOPE"));
        await Assert.ThrowsAsync<ParameterVersionNotFoundException>(() => GetAsync(Name + ":2"));
    }

    [Fact]
    public async Task Several_parameters_are_read_at_once_and_missing_ones_are_named()
    {
        Aws.Parameters.Put(Name, "value", ParameterType.String);
        using var client = Client();

        var answer = await client.GetParametersAsync(new GetParametersRequest { Names = [Name, "/ragstream/NOPE"] }, TestCancellation);

        Assert.Equal("value", Assert.Single(answer.Parameters).Value);
        Assert.Equal("/ragstream/NOPE", Assert.Single(answer.InvalidParameters));
    }

    [Fact]
    public async Task A_Secrets_Manager_secret_is_read_by_reference_and_only_with_decryption()
    {
        Aws.Parameters.PutSecret("ragstream/openai", "sk-managed");

        Assert.Equal("sk-managed", (await GetAsync("/aws/reference/secretsmanager/ragstream/openai")).Value);
        var refusal = await Assert.ThrowsAsync<AmazonSimpleSystemsManagementException>(
            () => GetAsync("/aws/reference/secretsmanager/ragstream/openai", decrypt: false));
        Assert.Equal("ValidationException", refusal.ErrorCode);
    }

    [Fact]
    public async Task A_denied_call_names_caller_action_and_resource()
    {
        Aws.Faults.Add("ssm:GetParameter", new Fault.Error("AccessDeniedException"));

        var refusal = await Assert.ThrowsAsync<AmazonSimpleSystemsManagementException>(() => GetAsync(Name));

        Assert.Equal("AccessDeniedException", refusal.ErrorCode);
        Assert.Equal("User: arn:aws:iam::123456789012:user/static is not authorized to perform: ssm:GetParameter on resource: "
            + $"{Arn} because no identity-based policy allows the ssm:GetParameter action", refusal.Message);
    }

    [Fact]
    public async Task The_SDK_retries_a_throttled_call_and_succeeds()
    {
        Aws.Parameters.Put(Name, "value");
        Aws.Faults.Add("ssm:GetParameter", new Fault.Error("ThrottlingException"), times: 1);

        Assert.Equal("value", (await GetAsync(Name, retries: 2)).Value);

        Assert.Equal([400, 200], Aws.Requests.ByOperation("ssm:GetParameter").Select(r => r.Status!.Value));
    }

    [Fact]
    public async Task An_internal_error_has_status_500()
    {
        Aws.Faults.Add("ssm:GetParameter", new Fault.Error("InternalServerError"));

        await Assert.ThrowsAsync<InternalServerErrorException>(() => GetAsync(Name));

        Assert.Equal(500, Assert.Single(Aws.Requests.ByOperation("ssm:GetParameter")).Status);
    }

    [Fact]
    public async Task Expired_role_credentials_are_refused()
    {
        var credentials = await new ImdsClient(Http, Aws.ApiEndpoint).CredentialsAsync(TestCancellation);
        Aws.Parameters.Put(Name, "value");
        Assert.Equal("value", (await GetAsync(Name, credentials: credentials)).Value);

        Aws.RoleCredentials.ExpireAll();

        var refusal = await Assert.ThrowsAsync<AmazonSimpleSystemsManagementException>(() => GetAsync(Name, credentials: credentials));
        Assert.Equal("ExpiredTokenException", refusal.ErrorCode);
    }

    [Fact]
    public async Task Requests_are_recorded_with_the_callers_name()
    {
        Aws.Parameters.Put(Name, "value");

        await GetAsync(Name);

        var request = Assert.Single(Aws.Requests.Snapshot());
        Assert.Equal(("ssm:GetParameter", Arn, 200, "arn:aws:iam::123456789012:user/static"),
            (request.Operation, request.Resource, request.Status, request.Principal));
        Assert.Contains("aws-sdk-dotnet", request.UserAgent, StringComparison.Ordinal);
    }

    private async Task<Parameter> GetAsync(string name, bool decrypt = true, int retries = 0, AWSCredentials? credentials = null)
    {
        using var client = Client(retries, credentials);
        return (
            await client.GetParameterAsync(new GetParameterRequest { Name = name, WithDecryption = decrypt }, TestCancellation)).Parameter;
    }

    private AmazonSimpleSystemsManagementClient Client(int retries = 0, AWSCredentials? credentials = null) =>
        new(credentials ?? new BasicAWSCredentials(StaticKeyId, StaticSecret), new AmazonSimpleSystemsManagementConfig
        {
            ServiceURL = Aws.ApiEndpoint.ToString(),
            AuthenticationRegion = "eu-central-1",
            MaxErrorRetry = retries,
        });
}
