using System.Net;
using Microsoft.AspNetCore.Http;
using RagAgent.Images;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Images;

public class BearerChallengeTests
{
    private static readonly RegistryLogin Access = new("registry.example", new Uri("https://registry.example"), null, null);

    [Theory]
    [InlineData("Bearer realm=\"https://auth.example/token\",service=\"r\",scope=\"repository:a:pull,push\"", "https://auth.example/token", "r", "repository:a:pull,push")]
    [InlineData("bearer Realm=\"https://auth.example/token\"", "https://auth.example/token", null, null)]
    [InlineData("Bearer service=\"r\",realm=\"https://auth.example/token\"", "https://auth.example/token", "r", null)]
    public void A_bearer_challenge_is_parsed(string header, string realm, string? service, string? scope) =>
        Assert.Equal(new BearerTokenExchange(new Uri(realm), service, scope), Find(header));

    [Theory]
    [InlineData("Basic realm=\"https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/\",service=\"ecr.amazonaws.com\"")]
    [InlineData("Bearer")]
    [InlineData("Bearer realm=\"/relative\"")]
    [InlineData("Bearer realm=\"https://unfinished")]
    [InlineData("Bearer service=\"r\"")]
    public void Other_headers_are_not_taken_for_a_bearer_challenge(string header) => Assert.Null(Find(header));

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("""{ "token": "t" }""")]
    [InlineData("""{ "access_token": "t" }""")]
    [InlineData("""{ "token": "", "access_token": "t" }""")]
    public async Task The_token_can_have_either_of_two_names(string answer)
    {
        await using var server = await TestServer.StartAsync(context => context.Response.WriteAsync(answer));

        Assert.Equal("t", await TokenAsync(server.Address));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("{}", 200)]
    [InlineData("[]", 200)]
    [InlineData("<html>", 200)]
    [InlineData("""{ "token": 7 }""", 200)]
    [InlineData("""{ "token": "t" }""", 403)]
    public async Task A_response_without_a_token_means_that_anonymous_access_is_refused(string answer, int status)
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(answer);
        });

        var refused = await AssertProblem.ThrownAsync(() => TokenAsync(server.Address));

        Assert.Equal(("registry-denied", "The registry registry.example refused anonymous access to the image."), (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_service_the_registry_host_is_sent_and_the_query_of_the_realm_is_kept()
    {
        await using var server = await TestServer.StartAsync(context => context.Response.WriteAsync("""{ "token": "t" }"""));

        await TokenAsync(new Uri(server.Address, "/token?a=1"));

        Assert.Equal("GET /token?a=1&service=registry.example", Assert.Single(server.Requests).ToString());
    }

    private static async Task<string> TokenAsync(Uri realm)
    {
        using var http = new HttpClient();
        return await new BearerTokenExchange(realm, null, null).RequestTokenAsync(http, Access, TestContext.Current.CancellationToken);
    }

    private static BearerTokenExchange? Find(string header)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", header);
        return BearerTokenExchange.FromResponse(response);
    }
}
