using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Aws;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public sealed class Ec2InstanceControlTests : IAsyncLifetime
{
    private const string Arn = "arn:aws:ec2:eu-west-3:123456789012:instance/i-0123456789abcdef0";
    private static readonly string Stopping = """
        <?xml version="1.0" encoding="UTF-8"?>
        <StopInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><instancesSet><item><instanceId>i-0123456789abcdef0</instanceId>
        <currentState><code>64</code><name>stopping</name></currentState>
        """ +
        "<previousState><code>16</code><name>running</name></previousState></item></instancesSet></StopInstancesResponse>";

    private Func<HttpContext, Task> _ec2Handler = context => context.Response.WriteAsync(Stopping);
    private string _identity = """{ "instanceId": "i-0123456789abcdef0", "region": "eu-west-3", "accountId": "123456789012" }""";
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private TestServer _server = null!;
    private AwsEnvironment _aws = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(context => context.Request.Path.Value switch
        {
            "/latest/api/token" => context.Response.WriteAsync("session"),
            "/latest/dynamic/instance-identity/document" => context.Response.WriteAsync(_identity),
            _ => _ec2Handler(context),
        });
        _aws = new AwsEnvironment(
            ("AWS_ENDPOINT_URL_EC2", _server.Address.ToString()), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", _server.Address.ToString()),
            ("AWS_EC2_METADATA_DISABLED", null));
    }

    public async ValueTask DisposeAsync()
    {
        _aws.Dispose();
        await _server.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_stop_request_names_this_instance_and_goes_to_its_own_region()
    {
        Assert.Equal("i-0123456789abcdef0", await CreateEc2().StopAsync(TestCancellation));

        var context = _server.Requests[^1];
        Assert.Equal(("POST /", "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-0123456789abcdef0"), (context.ToString(), context.Body));
        Assert.Equal("application/x-www-form-urlencoded; charset=utf-8", context.Headers["Content-Type"]);
        // Not the region that parameters are read from.
        Assert.Contains("/eu-west-3/ec2/aws4_request", context.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_dry_run_that_would_have_succeeded_is_a_success()
    {
        ErrorResponse(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");

        Assert.Equal("i-0123456789abcdef0", await CreateEc2().DryRunStopAsync(TestCancellation));

        Assert.EndsWith("&DryRun=true", _server.Requests[^1].Body, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(
        403, "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:role is not authorized to perform: ec2:StopInstances. " +
        "Encoded authorization failure message: xyz",
        "aws-denied",
        "AWS denied the request to stop the instance i-0123456789abcdef0: " +
        "You are not authorized to perform this operation. User: arn:role is not authorized to perform: ec2:StopInstances.",
        $"Allow the instance role ec2:StopInstances on {Arn}. No restart is needed.")]
    [InlineData(
        503, "RequestLimitExceeded", "Request limit exceeded.", "aws-throttled",
        "AWS is throttling the request to stop the instance i-0123456789abcdef0.", ExceptionMapping.RetriesAutomatically)]
    [InlineData(
        500, "InternalError", "An internal error has occurred", "aws-server",
        "AWS failed to stop the instance i-0123456789abcdef0 because of an internal error: An internal error has occurred.",
        ExceptionMapping.RetriesAutomatically)]
    [InlineData(
        401, "AuthFailure", "AWS was not able to validate the provided access credentials", "aws-credentials-unknown",
        "AWS doesn't recognize the credentials of the request to stop the instance i-0123456789abcdef0.",
        "Check the instance role, or the AWS variables and profile that the agent uses.")]
    [InlineData(
        400, "OperationNotPermitted",
        "The instance 'i-0123456789abcdef0' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
        "ec2-stop-protected",
        "The instance i-0123456789abcdef0 has stop protection: " +
        "The instance 'i-0123456789abcdef0' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
        "Remove it with 'aws ec2 modify-instance-attribute --instance-id i-0123456789abcdef0 --no-disable-api-stop --region eu-west-3', or set idle to null.")]
    [InlineData(400, "UnsupportedOperation", "The instance 'i-0123456789abcdef0' does not have an 'ebs' root device type and cannot be stopped.", "ec2-stop-unsupported",
        "EC2 can't stop the instance i-0123456789abcdef0: The instance 'i-0123456789abcdef0' does not have an 'ebs' root device type and cannot be stopped.",
        "EC2 can only stop instances with an EBS root volume, and Spot instances only if their request is persistent. Otherwise set idle to null.")]
    public async Task A_refused_stop_is_reported_with_a_remedy(
        int status, string code, string message, string problem, string what, string remedy)
    {
        ErrorResponse(status, code, message);

        Assert.Equal(
            new Problem(ProblemCatalog.Find(problem), what, remedy),
            await AssertProblem.ThrownAsync(() => CreateEc2().StopAsync(TestCancellation)));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("<html>a proxy's page</html>")]
    [InlineData("<Response><Errors><Error><Code")]
    [InlineData("")]
    public async Task A_response_that_is_not_from_EC2_is_reported_by_its_status(string body)
    {
        _ec2Handler = context =>
        {
            context.Response.StatusCode = 502;
            return context.Response.WriteAsync(body);
        };

        Assert.Equal(
            new Problem(
                ProblemCatalog.AwsRefused, "AWS refused to stop the instance i-0123456789abcdef0: HTTP 502.",
                ExceptionMapping.RetriesAutomatically),
            await AssertProblem.ThrownAsync(() => CreateEc2().StopAsync(TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_EC2_times_out()
    {
        var asked = new TaskCompletionSource();
        _ec2Handler = context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        };
        var stop = AssertProblem.ThrownAsync(() => CreateEc2().StopAsync(TestCancellation));
        await asked.Task.WaitAsync(TestCancellation);

        _time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(
            ("ec2-unreachable", $"EC2 at {_server.Authority} can't be reached to stop the instance: it did not answer in time."),
            (await stop) is var problem ? (problem.Code, problem.What) : default);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_invalid_identity_document_is_reported()
    {
        _identity = """{ "instanceId": "i-0123456789abcdef0" }""";

        Assert.Equal("imds-garbled", (await AssertProblem.ThrownAsync(() => CreateEc2().StopAsync(TestCancellation))).Code);
    }

    [Theory]
    [InlineData("eu-central-1", null, null, "https://ec2.eu-central-1.amazonaws.com/")]
    [InlineData("cn-north-1", null, null, "https://ec2.cn-north-1.amazonaws.com.cn/")]
    [InlineData("us-east-1", "AWS_USE_FIPS_ENDPOINT", "true", "https://ec2-fips.us-east-1.amazonaws.com/")]
    [InlineData("us-east-1", "AWS_USE_DUALSTACK_ENDPOINT", "true", "https://ec2.us-east-1.api.aws/")]
    [InlineData("us-east-1", "AWS_ENDPOINT_URL", "http://127.0.0.1:1/", "http://127.0.0.1:1/")]
    [InlineData("us-east-1", "AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:2/", "http://127.0.0.1:2/")]
    public void Standard_settings_determine_the_endpoint_of_EC2(string region, string? variable, string? value, string expected)
    {
        using var aws = variable is null ? new AwsEnvironment() : new AwsEnvironment((variable, value));

        Assert.Equal(expected, new Ec2ClientConfig(Amazon.RegionEndpoint.GetBySystemName(region)).EndpointUri.ToString());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_doctor_tests_the_stop_only_if_idle_is_set()
    {
        ErrorResponse(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");

        var off = await new IdleCheck(new AgentConfig { Image = "app" }, CreateEc2()).RunAsync(TestCancellation);
        Assert.Equal((CheckOutcome.Skipped, 0), (off.Outcome, _server.Requests.Count));

        var on = await new IdleCheck(new AgentConfig { Image = "app", Idle = new IdleConfig() }, CreateEc2()).RunAsync(TestCancellation);
        Assert.Equal((CheckOutcome.Ok, "EC2 would stop the instance i-0123456789abcdef0 on the agent's request."), (on.Outcome, on.What));
    }

    private Ec2InstanceControl CreateEc2() => new(AwsEnvironment.CreateAccount(time: _time), new InstanceMetadata(_time), _time);

    private void ErrorResponse(int status, string code, string message) => _ec2Handler = context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
            $"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>1</RequestID></Response>");
    };
}
