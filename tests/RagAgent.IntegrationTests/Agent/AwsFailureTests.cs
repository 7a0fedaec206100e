using LocalAws.Faults;
using LocalAws.Requests;
using LocalAws.Ssm;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What AWS can refuse. The agent reports it in one sentence and retries, and the app starts once the cause is gone.</summary>
public sealed class AwsFailureTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task A_missing_parameter_is_reported_with_the_command_that_creates_it()
    {
        Aws.Parameters.Remove(Parameter);
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("ssm-parameter-missing");
        Assert.Equal($"The parameter {Parameter} does not exist in eu-central-1.", problem.What);
        Assert.StartsWith(
            $"Create it with 'aws ssm put-parameter --name {Parameter} --type SecureString --value file://key.txt --region eu-central-1'",
            problem.Remedy,
            StringComparison.Ordinal);

        Aws.Parameters.Put(Parameter, Key);
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_parameter_that_the_role_may_not_read_is_reported_with_the_permission()
    {
        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("AccessDeniedException"));
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("aws-denied");
        Assert.StartsWith($"AWS denied the request to read the parameter {Parameter}: User: arn:aws:sts::123456789012:assumed-role/", problem.What, StringComparison.Ordinal);
        Assert.Contains("is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY",
            problem.What, StringComparison.Ordinal);
        Assert.Equal("Allow the instance role ssm:GetParameter on it. No restart is needed.", problem.Remedy);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task Parameter_Store_throttling_is_reported_and_retried()
    {
        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("ThrottlingException"));
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("aws-throttled");
        Assert.Equal($"AWS is throttling the request to read the parameter {Parameter}.", problem.What);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\n")]
    public async Task An_empty_parameter_is_reported_and_no_container_is_created(string nothing)
    {
        Aws.Parameters.Put(Parameter, nothing);
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("secret-empty");
        Assert.Equal($"The parameter {Parameter} is empty, so OPENAI_API_KEY would be empty.", problem.What);
        Assert.Null(await Docker.InspectAsync(Name));

        Aws.Parameters.Put(Parameter, Key);
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_plain_text_parameter_is_used_with_a_warning_and_without_its_trailing_newline()
    {
        Aws.Parameters.Put(Parameter, Key + "\n", ParameterType.String);
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();

        await agent.WaitForLogAsync($"The parameter {Parameter} is a String, stored in plain text: make it a SecureString");
        var arrived = (await GetAsync("/key-sha256")).Body.Trim();
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Key))), arrived);
    }

    [Fact]
    public async Task An_instance_without_a_role_serves_once_it_gets_one()
    {
        var instance = Aws.Instance;
        Aws.Instance = instance with { RoleName = null };
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("imds-no-role");
        Assert.Equal("The instance has no IAM role, so there are no AWS credentials.", problem.What);
        Assert.Equal("Attach an instance profile with the agent's role to the instance. The agent picks it up without a restart.", problem.Remedy);

        Aws.Instance = instance;
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_role_that_can_not_be_assumed_is_reported_and_retried()
    {
        Aws.Faults.Add(Operations.ImdsCredentials, new Fault.RoleRefused());
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("imds-role-refused");
        Assert.Matches("^The instance metadata service has no credentials for the role .+: AssumeRoleUnauthorizedAccess\\.$", problem.What);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_metadata_service_that_refuses_the_session_token_is_reported_and_retried()
    {
        Aws.Faults.Add(Operations.ImdsToken, new Fault.Error(Status: 403));
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("imds-refused");
        Assert.Equal("The instance metadata service refused to issue a session token (403).", problem.What);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_metadata_service_that_hangs_is_reported_and_retried()
    {
        Aws.Faults.Add(Operations.ImdsToken, new Fault.Hang());
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("imds-silent");
        Assert.Equal($"The instance metadata service at {Aws.ApiEndpoint.Authority} did not answer within 5s.", problem.What);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task Expired_credentials_from_the_metadata_service_are_fetched_again()
    {
        Aws.Faults.Add(Operations.ImdsCredentials, new Fault.ExpiredCredentials(), times: 3);
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task Two_denied_reads_right_after_boot_are_not_reported_as_a_failure()
    {
        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("AccessDeniedException"), times: 2);
        Aws.Faults.Add(Operations.GetAuthorizationToken, new Fault.Error("AccessDeniedException"), times: 2);
        await PushAsync();
        StartAgent();

        var status = await WaitUntilServingAsync();

        Assert.Empty(status.Problems);
        Assert.Null(status.LastFailure);
    }

    [Fact]
    public async Task Credentials_that_expire_early_are_replaced_at_once()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Aws.RoleCredentials.ExpireAll();

        (await RunCommandAsync("update", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
    }

    [Fact]
    public async Task A_role_replaced_by_one_with_permission_is_used_at_once()
    {
        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("AccessDeniedException"), role: Aws.Instance.RoleName);
        Aws.Faults.Add(Operations.GetAuthorizationToken, new Fault.Error("AccessDeniedException"), role: Aws.Instance.RoleName);
        await PushAsync();
        StartAgent();
        await WaitForProblemAsync("aws-denied");

        Aws.Instance = Aws.Instance with { RoleName = "one-that-may" };

        var clock = System.Diagnostics.Stopwatch.StartNew();
        await WaitUntilServingAsync();
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60));   // the SDK alone would take up to two minutes
    }

    [Fact]
    public async Task A_metadata_session_that_is_refused_later_costs_one_more_request()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Aws.RoleCredentials.ExpireAll();
        Aws.Faults.Add(Operations.ImdsRole, new Fault.Error(Status: 401), times: 1);

        (await RunCommandAsync("update", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
    }
}
