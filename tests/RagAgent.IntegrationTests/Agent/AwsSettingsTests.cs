using LocalAws.Requests;
using LocalAws.Signing;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Every AWS call, including our own ECR client's, respects the standard AWS settings.</summary>
public sealed class AwsSettingsTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string KeyId = "AKIDDEVELOPER00001";
    private const string KeySecret = "a-secret-of-a-developer";

    private void UseDeveloperMachine()
    {
        AgentEnvironment.Remove("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        AgentEnvironment["AWS_EC2_METADATA_DISABLED"] = "true";
        Aws.Credentials.Add(new AwsCredential(KeyId, KeySecret, null, null, "arn:aws:iam::123456789012:user/developer"));
    }

    private IEnumerable<string?> Callers() =>
        Aws.Requests.Snapshot().Where(r => r.Service is "ssm" or "ecr").Select(r => r.Principal).Distinct();

    [Fact]
    public async Task Keys_and_region_from_the_environment_work_without_an_instance()
    {
        UseDeveloperMachine();
        AgentEnvironment["AWS_ACCESS_KEY_ID"] = KeyId;
        AgentEnvironment["AWS_SECRET_ACCESS_KEY"] = KeySecret;
        AgentEnvironment["AWS_REGION"] = "eu-central-1";
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(["arn:aws:iam::123456789012:user/developer"], Callers());
        Assert.DoesNotContain(Aws.Requests.Snapshot(), r => r.Service == "imds");
    }

    [Fact]
    public async Task An_AWS_profile_with_keys_region_and_endpoints_is_used()
    {
        UseDeveloperMachine();
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_SSM");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_ECR");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_EC2");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_ROUTE_53");
        var config = Path.Combine(Folder, "aws-config");
        await File.WriteAllTextAsync(config, $"""
            [profile dev]
            region = eu-central-1
            aws_access_key_id = {KeyId}
            aws_secret_access_key = {KeySecret}
            services = local
            [services local]
            ssm =
              endpoint_url = {Aws.ApiEndpoint}
            ecr =
              endpoint_url = {Aws.ApiEndpoint}
            """, TestCancellation);
        AgentEnvironment["AWS_PROFILE"] = "dev";
        AgentEnvironment["AWS_CONFIG_FILE"] = config;
        AgentEnvironment["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null";
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(["arn:aws:iam::123456789012:user/developer"], Callers());
    }

    [Fact]
    public async Task AWS_ENDPOINT_URL_applies_to_all_services()
    {
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_SSM");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_ECR");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_EC2");
        AgentEnvironment.Remove("AWS_ENDPOINT_URL_ROUTE_53");
        AgentEnvironment["AWS_ENDPOINT_URL"] = Aws.ApiEndpoint.ToString();
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(1, Aws.Requests.Count(Operations.GetParameter));
        Assert.Equal(1, Aws.Requests.Count(Operations.GetAuthorizationToken));
    }

    [Fact]
    public async Task A_proxy_is_used_for_AWS_services_but_not_for_instance_metadata()
    {
        await using var proxy = await HttpForwardProxy.StartAsync();
        AgentEnvironment["HTTP_PROXY"] = proxy.Address.ToString();
        // IMDS gets another host name than the services, as on an instance, because the proxy is bypassed by host name.
        AgentEnvironment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = $"http://localhost:{Aws.ApiEndpoint.Port}";
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        Assert.Contains(proxy.RequestedHosts, u => u.StartsWith(Aws.ApiEndpoint.ToString(), StringComparison.Ordinal));
        Assert.Contains(
            proxy.RequestedHosts,
            u => u.StartsWith(new Uri(Aws.RegistryEndpoint, "/v2/ragstream-web/manifests/latest").ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain(proxy.RequestedHosts, u => u.Contains("/latest/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Missing_credentials_are_reported_with_a_remedy()
    {
        UseDeveloperMachine();
        AgentEnvironment["AWS_REGION"] = "eu-central-1";
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("imds-disabled");
        Assert.Equal("Set credentials and a region with the standard AWS variables or a profile.", problem.Remedy);
    }
}
