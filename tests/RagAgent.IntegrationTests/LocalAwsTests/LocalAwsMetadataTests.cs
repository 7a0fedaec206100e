using System.Net;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

public class LocalAwsMetadataTests : LocalAwsTestBase
{
    [Fact]
    public async Task Metadata_without_a_token_is_unauthorized() =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("instance-id", null)).Status);

    [Fact]
    public async Task A_metadata_token_works_until_it_expires()
    {
        var token = await TokenAsync(seconds: 60);
        Assert.Equal((HttpStatusCode.OK, "eu-central-1"), await GetAsync("placement/region", token));

        Clock.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("placement/region", token)).Status);
    }

    [Theory]
    [InlineData("/latest/api/token", "0", HttpStatusCode.BadRequest)]
    [InlineData("/latest/api/token", "21601", HttpStatusCode.BadRequest)]
    [InlineData("/latest/api/token", "soon", HttpStatusCode.BadRequest)]
    [InlineData("/latest/api/token", null, HttpStatusCode.BadRequest)]
    [InlineData("/2021-07-15/api/token", "60", HttpStatusCode.Forbidden)]
    public async Task A_metadata_token_is_refused_for_an_invalid_lifetime_or_path(string path, string? ttl, HttpStatusCode expected)
    {
        using var response = await PutTokenAsync(path, ttl);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_metadata_token_is_refused_to_a_forwarded_request()
    {
        using var response = await PutTokenAsync("/latest/api/token", "60", forwarded: true);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("latest")]
    [InlineData("2021-07-15")]
    public async Task The_role_is_listed_with_and_without_a_trailing_slash(string version)
    {
        var token = await TokenAsync();

        Assert.Equal("ragstream-instance", (await GetAsync("iam/security-credentials", token, version)).Body);
        Assert.Equal("ragstream-instance", (await GetAsync("iam/security-credentials/", token, version)).Body);
    }

    [Fact]
    public async Task A_public_address_is_missing_until_there_is_one()
    {
        var token = await TokenAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("public-ipv4", token)).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("ipv6", token)).Status);

        Aws.Instance = Aws.Instance with { PublicIpv4 = "203.0.113.7", Ipv6 = "2001:db8::7" };

        Assert.Equal(("203.0.113.7", "2001:db8::7"), ((await GetAsync("public-ipv4", token)).Body, (await GetAsync("ipv6", token)).Body));
    }

    [Fact]
    public async Task Role_credentials_change_five_minutes_before_they_expire()
    {
        var first = await RoleDocumentAsync();

        Clock.Advance(TimeSpan.FromHours(6) - TimeSpan.FromMinutes(6));
        Assert.Equal(first["AccessKeyId"]!.GetValue<string>(), (await RoleDocumentAsync())["AccessKeyId"]!.GetValue<string>());

        Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(first["AccessKeyId"]!.GetValue<string>(), (await RoleDocumentAsync())["AccessKeyId"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_role_attached_late_is_404_first_and_found_afterwards()
    {
        Aws.Faults.AddMissingRole(times: 1);
        var token = await TokenAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("iam/security-credentials/", token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("iam/security-credentials/", token)).Status);
    }

    [Fact]
    public async Task A_role_that_can_not_be_assumed_says_so_with_status_200()
    {
        Aws.Faults.Add("imds-credentials", new Fault.RoleRefused());

        Assert.Equal("AssumeRoleUnauthorizedAccess", (await RoleDocumentAsync())["Code"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_expired_credentials_fault_gives_credentials_that_have_expired()
    {
        Aws.Faults.Add("imds-credentials", new Fault.ExpiredCredentials(), times: 1);

        Assert.True((await RoleDocumentAsync())["Expiration"]!.GetValue<DateTimeOffset>() < Clock.GetUtcNow());
        Assert.True((await RoleDocumentAsync())["Expiration"]!.GetValue<DateTimeOffset>() > Clock.GetUtcNow());
    }

    private async Task<JsonNode> RoleDocumentAsync() =>
        JsonNode.Parse((await GetAsync("iam/security-credentials/ragstream-instance", await TokenAsync())).Body)!;

    private async Task<string> TokenAsync(int seconds = 21600)
    {
        using var response = await PutTokenAsync("/latest/api/token", $"{seconds}");
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestCancellation);
    }

    private async Task<HttpResponseMessage> PutTokenAsync(string path, string? ttl, bool forwarded = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Aws.ApiEndpoint, path));
        if (ttl is not null)
        {
            request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", ttl);
        }

        if (forwarded)
        {
            request.Headers.Add("X-Forwarded-For", "10.0.0.1");
        }

        return await Http.SendAsync(request, TestCancellation);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string item, string? token, string version = "latest")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Aws.ApiEndpoint, $"/{version}/meta-data/{item}"));
        if (token is not null)
        {
            request.Headers.Add("X-aws-ec2-metadata-token", token);
        }

        using var response = await Http.SendAsync(request, TestCancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation));
    }
}
