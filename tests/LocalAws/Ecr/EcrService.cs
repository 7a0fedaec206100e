using System.Text;
using System.Text.Json.Nodes;
using LocalAws.Services;

namespace LocalAws.Ecr;

/// <summary>ECR's API of 2015-09-21: GetAuthorizationToken.</summary>
internal sealed class EcrService(RegistryTokens tokens, Func<string> proxyEndpoint) : IJsonService
{
    public string TargetPrefix => "AmazonEC2ContainerRegistry_V20150921";

    public string SigningName => "ecr";

    public string ResourceOf(string action, JsonObject input) => "*";

    public JsonObject Handle(string action, JsonObject input, string principal)
    {
        if (action != "GetAuthorizationToken")
        {
            throw new AwsErrorException(AwsError.BadRequest("UnknownOperationException", null));
        }

        var (password, expires) = tokens.Issue(principal);
        return new JsonObject
        {
            ["authorizationData"] = new JsonArray(new JsonObject
            {
                ["authorizationToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("AWS:" + password)),
                ["expiresAt"] = expires.ToUnixTimeMilliseconds() / 1000.0,
                ["proxyEndpoint"] = proxyEndpoint(),
            }),
        };
    }
}
