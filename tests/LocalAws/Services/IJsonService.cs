using System.Text.Json.Nodes;

namespace LocalAws.Services;

/// <summary>One service of the JSON 1.1 protocol.</summary>
internal interface IJsonService
{
    /// <summary>The start of <c>X-Amz-Target</c>, without the dot.</summary>
    string TargetPrefix { get; }

    /// <summary>The name in the credential scope and before the colon of an action.</summary>
    string SigningName { get; }

    /// <summary>The ARN (or <c>*</c>) that IAM would check the action against.</summary>
    string ResourceOf(string action, JsonObject input);

    /// <exception cref="AwsErrorException">The service refuses the call.</exception>
    JsonObject Handle(string action, JsonObject input, string principal);
}
