using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Aws;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public sealed class EcrAuthenticatorTests : IAsyncLifetime
{
    private const string Registry = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private int _tokensIssued;
    private Func<HttpContext, Task>? _errorHandler;
    private TestServer _ecr = null!;
    private AwsEnvironment _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _ecr = await TestServer.StartAsync(context => _errorHandler is { } refuse ? refuse(context) : IssueTokenAsync(context));
        _aws = new AwsEnvironment(("AWS_ENDPOINT_URL_ECR", _ecr.Address.ToString()));
    }

    public async ValueTask DisposeAsync()
    {
        _aws.Dispose();
        await _ecr.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_own_registry_is_the_one_that_comes_with_the_token()
    {
        using var authenticator = CreateAuthenticator();

        var access = await authenticator.AuthenticateAsync(null, refresh: false, TestCancellation);

        Assert.Equal((Registry, new Uri($"https://{Registry}"), "AWS", "token-1"), (access.Host, access.ApiEndpoint, access.User, access.Password?.Reveal()));
        Assert.DoesNotContain("token-1", access.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_token_request_is_signed_for_ECR_and_the_region()
    {
        using var authenticator = CreateAuthenticator();

        await authenticator.AuthenticateAsync(null, refresh: false, TestCancellation);

        var context = Assert.Single(_ecr.Requests);
        Assert.Equal(("POST /", "{}"), (context.ToString(), context.Body));
        Assert.Equal("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", context.Headers["X-Amz-Target"]);
        Assert.Equal("application/x-amz-json-1.1", context.Headers["Content-Type"]);
        Assert.Contains("Credential=AKIDEXAMPLE/", context.Headers["Authorization"], StringComparison.Ordinal);
        Assert.Contains("/eu-central-1/ecr/aws4_request", context.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_token_is_kept_for_half_of_its_lifetime()
    {
        using var authenticator = CreateAuthenticator();

        Assert.Equal("token-1", await TokenAsync(authenticator));
        _time.Advance(TimeSpan.FromHours(6) - TimeSpan.FromSeconds(1));
        Assert.Equal("token-1", await TokenAsync(authenticator));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("token-2", await TokenAsync(authenticator));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_token_is_replaced_immediately()
    {
        using var authenticator = CreateAuthenticator();

        Assert.Equal("token-1", await TokenAsync(authenticator));
        Assert.Equal("token-2", await TokenAsync(authenticator, refresh: true));
        Assert.Equal("token-2", await TokenAsync(authenticator));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Concurrent_callers_share_one_token()
    {
        using var authenticator = CreateAuthenticator();

        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TokenAsync(authenticator)));

        Assert.All(all, token => Assert.Equal("token-1", token));
        Assert.Single(_ecr.Requests);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("999999999999.dkr.ecr.us-east-1.amazonaws.com", "us-east-1")]
    [InlineData("999999999999.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1")]
    [InlineData("999999999999.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1")]
    [InlineData("999999999999.dkr-ecr.eu-west-1.on.aws", "eu-west-1")]
    public async Task A_registry_in_another_region_gets_a_token_of_that_region(string host, string region)
    {
        using var authenticator = CreateAuthenticator();

        var access = await authenticator.AuthenticateAsync(host, refresh: false, TestCancellation);

        Assert.True(authenticator.Handles(host));
        Assert.Equal((host, new Uri($"https://{host}"), "token-1"), (access.Host, access.ApiEndpoint, access.Password?.Reveal()));
        Assert.Contains($"/{region}/ecr/aws4_request", Assert.Single(_ecr.Requests).Headers["Authorization"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("registry.example.com")]
    [InlineData("docker.io")]
    [InlineData("public.ecr.aws")]
    [InlineData("123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example")]
    [InlineData("evil.example.123456789012.dkr.ecr.eu-central-1.amazonaws.com")]
    [InlineData("123456789012xdkr.ecr.eu-central-1.amazonaws.com")]
    [InlineData("123456789012.dkr.ecr.eu-central-1.amazonaws.com\n")]
    public void A_registry_that_is_not_ECR_never_gets_the_token(string host)
    {
        using var authenticator = CreateAuthenticator();

        Assert.False(authenticator.Handles(host));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(
        "AccessDeniedException", 400, "aws-denied", "AWS denied the request to issue a registry token: said why.",
        "Allow the instance role ecr:GetAuthorizationToken on '*'. No restart is needed.")]
    [InlineData(
        "com.amazonaws.ecr#AccessDeniedException", 400, "aws-denied", "AWS denied the request to issue a registry token: said why.",
        "Allow the instance role ecr:GetAuthorizationToken on '*'. No restart is needed.")]
    [InlineData("ThrottlingException", 400, "aws-throttled", "AWS is throttling the request to issue a registry token.", ExceptionMapping.RetriesAutomatically)]
    [InlineData("ExpiredTokenException", 400, "aws-credentials-expired", "AWS refused to issue a registry token: the credentials have expired.",
        "The agent requests new ones. If this persists, check the clock ('timedatectl').")]
    [InlineData("UnrecognizedClientException", 400, "aws-credentials-unknown", "AWS doesn't recognize the credentials of the request to issue a registry token.",
        "Check the instance role, or the AWS variables and profile that the agent uses.")]
    public async Task A_refusal_of_ECR_is_reported_by_its_type(string type, int status, string code, string what, string remedy)
    {
        _errorHandler = context => AwsEnvironment.RespondWithErrorAsync(context, status, type, "said why");
        using var authenticator = CreateAuthenticator();

        var refused = await AssertProblem.ThrownAsync(() => TokenAsync(authenticator));

        Assert.Equal((code, what, remedy), (refused.Code, refused.What, refused.Remedy));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("45", 45)]
    [InlineData("3600", 600)]
    [InlineData(null, null)]
    public async Task The_Retry_After_of_a_refusal_by_ECR_is_passed_on(string? retryAfter, int? seconds)
    {
        _errorHandler = context =>
        {
            context.Response.Headers.RetryAfter = retryAfter;
            return AwsEnvironment.RespondWithErrorAsync(context, 400, "ThrottlingException", "Rate exceeded");
        };
        using var authenticator = CreateAuthenticator();

        Assert.Equal(seconds, (int?)(await AssertProblem.ThrownAsync(() => TokenAsync(authenticator))).RetryAfter?.TotalSeconds);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_error_type_can_be_in_a_header()
    {
        _errorHandler = context =>
        {
            context.Response.Headers["x-amzn-ErrorType"] = "AccessDeniedException:http://internal.amazon.com/coral/";
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync("""{"Message":"said why"}""");
        };
        using var authenticator = CreateAuthenticator();

        Assert.Equal("aws-denied", (await AssertProblem.ThrownAsync(() => TokenAsync(authenticator))).Code);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("<html>", "AWS refused to issue a registry token: HTTP 403.")]
    [InlineData("[]", "AWS refused to issue a registry token: HTTP 403.")]
    [InlineData("{\"__type\":7}", "AWS refused to issue a registry token: HTTP 403.")]
    [InlineData("{}", "AWS refused to issue a registry token: no reason given.")]
    public async Task A_refusal_that_is_not_from_AWS_is_reported_by_its_status(string body, string what)
    {
        _errorHandler = context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync(body);
        };
        using var authenticator = CreateAuthenticator();

        Assert.Equal(what, (await AssertProblem.ThrownAsync(() => TokenAsync(authenticator))).What);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("""{"authorizationData":[]}""")]
    [InlineData("""{"authorizationData":[{"authorizationToken":"canary7731","expiresAt":1,"proxyEndpoint":"https://x"}]}""")]
    [InlineData("""{"authorizationData":[{"authorizationToken":"Y2FuYXJ5NzczMQ==","expiresAt":1,"proxyEndpoint":"https://x"}]}""")]
    [InlineData("""{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":"canary7731","proxyEndpoint":"https://x"}]}""")]
    [InlineData("""{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":1e99,"proxyEndpoint":"https://x"}]}""")]
    [InlineData("""{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":1,"proxyEndpoint":"canary7731"}]}""")]
    public async Task An_invalid_response_of_ECR_is_not_shown(string body)
    {
        _errorHandler = context => context.Response.WriteAsync(body);
        using var authenticator = CreateAuthenticator();

        var thrown = await Assert.ThrowsAsync<ProblemException>(() => TokenAsync(authenticator));

        Assert.Equal(("ecr-garbled", "ECR's response to the request for a registry token is not valid."), (thrown.Problem.Code, thrown.Problem.What));
        Assert.DoesNotContain("canary7731", thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_failing_ECR_gets_three_attempts()
    {
        _errorHandler = context => AwsEnvironment.RespondWithErrorAsync(context, 500, "ServerException", "Oops");
        using var authenticator = new EcrAuthenticator(
            AwsEnvironment.CreateAccount(), Sample.FirstBoot(), new ImmediateTimeProvider(TimeSpan.FromSeconds(15)));

        var refused = await AssertProblem.ThrownAsync(() => TokenAsync(authenticator));

        Assert.Equal(("aws-server", "AWS failed to issue a registry token because of an internal error: Oops."), (refused.Code, refused.What));
        Assert.Equal(3, _ecr.Requests.Count);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_ECR_times_out()
    {
        var asked = new TaskCompletionSource();
        _errorHandler = context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        };
        using var authenticator = CreateAuthenticator();

        var asking = TokenAsync(authenticator);
        await asked.Task.WaitAsync(TestCancellation);
        _time.Advance(TimeSpan.FromSeconds(15));

        var refused = await AssertProblem.ThrownAsync(() => asking);
        Assert.Equal(("ecr-unreachable", $"ECR at {_ecr.Authority} can't be reached: it did not answer in time."), (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_ECR_without_a_listener_is_named()
    {
        await _ecr.DisposeAsync();
        using var authenticator = CreateAuthenticator();

        var refused = await AssertProblem.ThrownAsync(() => TokenAsync(authenticator));

        Assert.Equal($"ECR at {_ecr.Authority} can't be reached: the connection was refused.", refused.What);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private EcrAuthenticator CreateAuthenticator() => new(AwsEnvironment.CreateAccount(), Sample.FirstBoot(), _time);

    private static async Task<string?> TokenAsync(EcrAuthenticator authenticator, bool refresh = false) =>
        (await authenticator.AuthenticateAsync(null, refresh, TestCancellation)).Password?.Reveal();

    private Task IssueTokenAsync(HttpContext context)
    {
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes($"AWS:token-{Interlocked.Increment(ref _tokensIssued)}"));
        var expires = _time.GetUtcNow().AddHours(12).ToUnixTimeMilliseconds() / 1000.0;
        return context.Response.WriteAsync(FormattableString.Invariant(
            $$"""{"authorizationData":[{"authorizationToken":"{{token}}","expiresAt":{{expires}},"proxyEndpoint":"https://{{Registry}}"}]}"""));
    }
}
