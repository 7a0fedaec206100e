using Amazon;
using RagAgent.Aws;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public class EcrClientConfigTests
{
    [Theory]
    [InlineData("eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com/")]
    [InlineData("us-gov-west-1", "https://api.ecr.us-gov-west-1.amazonaws.com/")]
    [InlineData("cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn/")]
    public void The_endpoint_of_ECR_depends_on_the_region(string region, string address)
    {
        using var aws = new AwsEnvironment();

        Assert.Equal(address, Address(region));
    }

    [Theory]
    [InlineData("AWS_ENDPOINT_URL", "http://127.0.0.1:1/", null, null, "http://127.0.0.1:1/")]
    [InlineData("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:2/", null, null, "http://127.0.0.1:2/")]
    [InlineData("AWS_ENDPOINT_URL", "http://127.0.0.1:1/", "AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:2/", "http://127.0.0.1:2/")]
    [InlineData("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:3/", null, null, "https://api.ecr.eu-central-1.amazonaws.com/")]
    [InlineData("AWS_USE_FIPS_ENDPOINT", "true", null, null, "https://api.ecr-fips.eu-central-1.amazonaws.com/")]
    [InlineData("AWS_USE_DUALSTACK_ENDPOINT", "true", null, null, "https://ecr.eu-central-1.api.aws/")]
    [InlineData("AWS_USE_DUALSTACK_ENDPOINT", "true", "AWS_USE_FIPS_ENDPOINT", "true", "https://ecr-fips.eu-central-1.api.aws/")]
    public void Standard_settings_determine_the_endpoint_of_ECR(
        string name, string value, string? second, string? secondValue, string address)
    {
        using var aws = new AwsEnvironment((name, value), (second ?? name, second is null ? value : secondValue));

        Assert.Equal(address, Address("eu-central-1"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_region_comes_from_the_configuration_or_else_from_the_variables()
    {
        using var aws = new AwsEnvironment(("AWS_REGION", "us-west-2"));

        Assert.Equal("eu-central-1", (await AwsEnvironment.CreateAccount("eu-central-1").RegionAsync(TestContext.Current.CancellationToken)).SystemName);
        Assert.Equal("us-west-2", (await AwsEnvironment.CreateAccount(null).RegionAsync(TestContext.Current.CancellationToken)).SystemName);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_region_the_disabled_metadata_service_is_reported()
    {
        using var aws = new AwsEnvironment();

        Assert.Equal("imds-disabled", (await AssertProblem.ThrownAsync(() => AwsEnvironment.CreateAccount(null).RegionAsync(TestContext.Current.CancellationToken))).Code);
    }

    private static string Address(string region) => new EcrClientConfig(RegionEndpoint.GetBySystemName(region)).EndpointUri.ToString();
}
