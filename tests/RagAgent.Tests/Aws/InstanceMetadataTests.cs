using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Aws;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public sealed class InstanceMetadataTests : IAsyncLifetime
{
    private readonly Dictionary<string, (int Status, string Text)> _responses = new()
    {
        ["PUT /latest/api/token"] = (200, "session"),
        ["GET /latest/meta-data/placement/region"] = (200, "eu-central-1"),
    };

    private readonly FakeTimeProvider _time = new();
    private TestServer _imds = null!;
    private EnvironmentVariables _variables = null!;

    public async ValueTask InitializeAsync()
    {
        _imds = await TestServer.StartAsync(context =>
        {
            var (status, text) = _responses.GetValueOrDefault($"{context.Request.Method} {context.Request.Path}", (404, ""));
            context.Response.StatusCode = status;
            return text == "silence" ? TestServer.HangAsync(context) : context.Response.WriteAsync(text);
        });
        _variables = new EnvironmentVariables(("AWS_EC2_METADATA_SERVICE_ENDPOINT", _imds.Address.ToString()), ("AWS_EC2_METADATA_DISABLED", null));
    }

    public async ValueTask DisposeAsync()
    {
        _variables.Dispose();
        await _imds.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_region_is_read_with_a_session_token()
    {
        Assert.Equal("eu-central-1", await RegionAsync());

        Assert.Equal(["PUT /latest/api/token", "GET /latest/meta-data/placement/region"], _imds.Requests.Select(r => r.ToString()));
        Assert.Equal("300", _imds.Requests[0].Headers["X-aws-ec2-metadata-token-ttl-seconds"]);
        Assert.Equal("session", _imds.Requests[1].Headers["X-aws-ec2-metadata-token"]);
    }

    [Theory]
    [InlineData("example.com", null)]
    [InlineData(null, "example.com")]
    [InlineData(null, null)]
    public void The_proxy_exceptions_include_the_service_in_both_spellings(string? lower, string? upper)
    {
        _variables.Set("http_proxy", "http://127.0.0.1:9");
        _variables.Set("no_proxy", lower);
        _variables.Set("NO_PROXY", upper);

        InstanceMetadata.BypassProxies();

        foreach (var name in new[] { "no_proxy", "NO_PROXY" })
        {
            Assert.Equal(
                new[] { lower ?? upper, _imds.Address.Host }.OfType<string>(), Environment.GetEnvironmentVariable(name)!.Split(','));
        }
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_instance_without_a_role_is_reported() =>
        Assert.Equal(
            new Problem(ProblemCatalog.ImdsNoRole, "The instance has no IAM role, so there are no AWS credentials.",
                "Attach an instance profile with the agent's role to the instance. The agent picks it up without a restart."),
            await FailureReasonAsync());

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_role_that_can_not_be_assumed_is_reported_with_the_code_of_AWS()
    {
        Role("""{ "Code": "AssumeRoleUnauthorizedAccess", "Message": "…" }""");

        Assert.Equal(
            new Problem(ProblemCatalog.ImdsRoleRefused, "The instance metadata service has no credentials for the role rag: AssumeRoleUnauthorizedAccess.",
                "Check that the role's trust policy lets ec2.amazonaws.com assume it. " + ExceptionMapping.RetriesAutomatically),
            await FailureReasonAsync());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task If_the_instance_has_credentials_no_reason_is_given()
    {
        Role("""{ "Code": "Success", "AccessKeyId": "AKID", "SecretAccessKey": "canary7731" }""");

        Assert.Null(await FailureReasonAsync());
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("<html>canary7731")]
    [InlineData("[]")]
    [InlineData("{ \"Code\": 7 }")]
    public async Task Invalid_credentials_are_not_shown(string text)
    {
        Role(text);

        Assert.Equal(
            new Problem(
                ProblemCatalog.ImdsGarbled, "The instance metadata service sent invalid credentials.",
                ExceptionMapping.RetriesAutomatically),
            await FailureReasonAsync());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_session_token_points_to_the_metadata_options()
    {
        _responses["PUT /latest/api/token"] = (403, "");

        var expected = new Problem(ProblemCatalog.ImdsRefused, "The instance metadata service refused to issue a session token (403).",
            "Check the instance's metadata options (HttpEndpoint must be enabled) and any local firewall or proxy. " + ExceptionMapping.RetriesAutomatically);
        Assert.Equal(expected, await AssertProblem.ThrownAsync(RegionAsync));
        Assert.Equal(expected, await FailureReasonAsync());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_read_is_reported_with_its_status()
    {
        _responses["GET /latest/meta-data/placement/region"] = (401, "");

        Assert.Equal("The instance metadata service answered 401 for placement/region.", (await AssertProblem.ThrownAsync(RegionAsync)).What);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Missing_metadata_is_named()
    {
        _responses.Remove("GET /latest/meta-data/placement/region");

        Assert.Equal(
            new Problem(
                ProblemCatalog.ImdsMissing, "The instance metadata service has no placement/region.",
                ExceptionMapping.RetriesAutomatically),
            await AssertProblem.ThrownAsync(RegionAsync));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_metadata_service_times_out_after_five_seconds()
    {
        _responses["PUT /latest/api/token"] = (200, "silence");

        var asking = RegionAsync();
        while (!asking.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(
            new Problem(ProblemCatalog.ImdsSilent, $"The instance metadata service at {_imds.Authority} did not answer within 5s.",
                "Check that it is enabled. If the agent runs in a container, the hop limit must be 2. " + ExceptionMapping.RetriesAutomatically),
            await AssertProblem.ThrownAsync(() => asking));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_unreachable_metadata_service_is_reported_with_its_cause()
    {
        await _imds.DisposeAsync();

        Assert.Equal(
            new Problem(ProblemCatalog.ImdsUnreachable, $"The instance metadata service at {_imds.Authority} can't be reached: the connection was refused.",
                "On an EC2 instance, check that it is enabled. Elsewhere, set credentials and AWS_REGION with the standard variables or a profile."),
            await AssertProblem.ThrownAsync(RegionAsync));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("true")]
    [InlineData("TRUE")]
    public async Task A_disabled_metadata_service_is_never_contacted(string value)
    {
        _variables.Set("AWS_EC2_METADATA_DISABLED", value);

        Assert.Equal(
            new Problem(
                ProblemCatalog.ImdsDisabled, "The instance metadata service is disabled (AWS_EC2_METADATA_DISABLED).",
                "Set credentials and a region with the standard AWS variables or a profile."),
            await AssertProblem.ThrownAsync(RegionAsync));
        Assert.Empty(_imds.Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_invalid_metadata_endpoint_is_reported()
    {
        _variables.Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "imds:");

        Assert.Equal("AWS_EC2_METADATA_SERVICE_ENDPOINT is 'imds:', which is not a URL like http://127.0.0.1:1338.", (await AssertProblem.ThrownAsync(RegionAsync)).What);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_metadata_service_is_never_read_through_a_proxy()
    {
        _variables.Set("http_proxy", "http://127.0.0.1:1");

        Assert.Equal("eu-central-1", await RegionAsync());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Cancellation_is_not_a_failure_of_the_metadata_service()
    {
        using var metadata = new InstanceMetadata(_time);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => metadata.RegionAsync(new CancellationToken(canceled: true)));
    }

    private void Role(string text)
    {
        _responses["GET /latest/meta-data/iam/security-credentials/"] = (200, "rag\n");
        _responses["GET /latest/meta-data/iam/security-credentials/rag"] = (200, text);
    }

    private async Task<string> RegionAsync()
    {
        using var metadata = new InstanceMetadata(_time);
        return await metadata.RegionAsync(TestContext.Current.CancellationToken);
    }

    private async Task<Problem?> FailureReasonAsync()
    {
        using var metadata = new InstanceMetadata(_time);
        return await metadata.ExplainMissingCredentialsAsync(TestContext.Current.CancellationToken);
    }
}
