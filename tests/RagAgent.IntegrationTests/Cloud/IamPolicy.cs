using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// An identity policy with only Allow statements, evaluated as IAM would without other policies. Strict: an action with a wildcard,
/// another effect or an unknown condition is an error.
/// </summary>
/// <param name="document">The policy document, with all CloudFormation functions resolved.</param>
internal sealed class IamPolicy(JsonNode document)
{
    private readonly Grant[] _grants = [.. document["Statement"]!.AsArray().SelectMany(ParseGrants)];

    /// <summary>Every pair of action and resource pattern that the policy allows.</summary>
    public IEnumerable<IamCall> Allowed => _grants.Select(g => g.Allowed);

    /// <summary>The grants that allow the call.</summary>
    /// <param name="call">The call to check.</param>
    /// <param name="context">The call's condition keys and their values.</param>
    public IEnumerable<IamCall> Allowing(IamCall call, IReadOnlyDictionary<string, string[]> context) => _grants
        .Where(g => g.Allowed.Action == call.Action)
        .Where(g => FileSystemName.MatchesSimpleExpression(g.Allowed.Resource, call.Resource, ignoreCase: false))
        .Where(g => g.Conditions.All(condition => ConditionHolds(condition, context)))
        .Select(g => g.Allowed);

    private static IEnumerable<Grant> ParseGrants(JsonNode? statement)
    {
        var members = statement!.AsObject();
        if (members.Select(m => m.Key).Except(["Sid", "Effect", "Action", "Resource", "Condition"]).FirstOrDefault() is { } unknown ||
            (string?)members["Effect"] != "Allow")
        {
            throw new NotSupportedException($"Not supported in a statement: {members.ToJsonString()}");
        }
        var conditions = (members["Condition"]?.AsObject() ?? []).SelectMany(
            by => by.Value!.AsObject().Select(key => new Condition(by.Key, key.Key, Strings(key.Value))))
            .ToArray();
        foreach (var action in Strings(members["Action"]))
        {
            if (action.Contains('*', StringComparison.Ordinal))
            {
                throw new NotSupportedException($"{action} has a wildcard, so what it allows is unknown.");
            }
            foreach (var resource in Strings(members["Resource"]))
            {
                yield return new Grant(new IamCall(action, resource), conditions);
            }
        }
    }

    private static bool ConditionHolds(Condition condition, IReadOnlyDictionary<string, string[]> context)
    {
        var found = context.GetValueOrDefault(condition.Key);
        bool IsOne(string value) => condition.Values.Contains(value, StringComparer.Ordinal);
        bool IsLikeOne(string value) => condition.Values.Any(
            pattern => FileSystemName.MatchesSimpleExpression(pattern, value, ignoreCase: false));
        return condition.Operator switch
        {
            "StringEquals" => found is [var one] && IsOne(one),
            "StringLike" => found is [var one] && IsLikeOne(one),
            "ForAllValues:StringEquals" => found is null || found.All(IsOne),
            "Null" => condition.Values is [var isAbsent] && (found is null) == (isAbsent == "true"),
            _ => throw new NotSupportedException($"The condition {condition.Operator} is not supported."),
        };
    }

    private static string[] Strings(JsonNode? node) => node switch
    {
        JsonArray many => [.. many.Select(one => one!.GetValue<string>())],
        not null => [node.GetValue<string>()],
        null => throw new NotSupportedException("A statement needs an action and a resource."),
    };

    private sealed record Grant(IamCall Allowed, Condition[] Conditions);

    private sealed record Condition(string Operator, string Key, string[] Values);
}
