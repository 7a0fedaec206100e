using Amazon.Runtime;
using Microsoft.AspNetCore.Http;
using RagAgent.Aws;
using RagAgent.Configuration;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Aws;

/// <summary>Environment variables for a machine where only variables configure AWS. No request ever reaches the real AWS.</summary>
internal sealed class AwsEnvironment : IDisposable
{
    private readonly EnvironmentVariables _variables = new(
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_SESSION_TOKEN", null), ("AWS_PROFILE", null),
        ("AWS_CONFIG_FILE", "/nowhere/config"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"), ("AWS_REGION", null), ("AWS_DEFAULT_REGION", null),
        ("AWS_ENDPOINT_URL", null), ("AWS_ENDPOINT_URL_ECR", null), ("AWS_ENDPOINT_URL_SSM", null), ("AWS_ENDPOINT_URL_EC2", null),
        ("AWS_ENDPOINT_URL_ROUTE_53", null), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", null),
        ("AWS_USE_FIPS_ENDPOINT", null), ("AWS_USE_DUALSTACK_ENDPOINT", null), ("HTTP_PROXY", null), ("http_proxy", null), ("HTTPS_PROXY", null), ("ALL_PROXY", null));

    public AwsEnvironment(params (string Name, string? Value)[] variables)
    {
        foreach (var (name, value) in variables)
        {
            _variables.Set(name, value);
        }
        // The SDK reads its settings once per process.
        FallbackRegionFactory.Reset();
        Amazon.Runtime.Internal.FallbackInternalConfigurationFactory.Reset();
    }

    public static AwsContext CreateAccount(string? region = "eu-central-1", TimeProvider? time = null) =>
        new(new AgentConfig { Image = "app", Aws = new AwsConfig { Region = region } }, new InstanceMetadata(time ?? TimeProvider.System), Sample.FirstBoot());

    /// <summary>An error as AWS's JSON services send it.</summary>
    public static Task RespondWithErrorAsync(HttpContext context, int status, string type, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-amz-json-1.1";
        return context.Response.WriteAsync($$"""{"__type":"{{type}}","message":"{{message}}"}""");
    }

    public void Dispose() => _variables.Dispose();
}
