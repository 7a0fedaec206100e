using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// An identity policy that only allows, evaluated as IAM does for one that has nothing else to say. Strict: an action with a wildcard, an effect or a
/// condition that is not known here is an error.
/// </summary>
/// <param name="document">The policy, with every function of CloudFormation carried out.</param>
internal sealed class IamPolicy(JsonNode document)
{
    private readonly Grant[] _grants = [.. document["Statement"]!.AsArray().SelectMany(ParseGrants)];

    /// <summary>Every pair of an action and a resource that the policy allows, in its own words.</summary>
    public IEnumerable<IamCall> Allowed => _grants.Select(g => g.Allowed);

    /// <summary>The grants that allow the call.</summary>
    /// <param name="call">What was asked.</param>
    /// <param name="context">The condition keys that AWS has for it, with their values.</param>
    public IEnumerable<IamCall> Allowing(IamCall call, IReadOnlyDictionary<string, string[]> context) => _grants
        .Where(g => g.Allowed.Action == call.Action && FileSystemName.MatchesSimpleExpression(g.Allowed.Resource, call.Resource, ignoreCase: false) && g.Conditions.All(c => ConditionHolds(c, context)))
        .Select(g => g.Allowed);

    private static IEnumerable<Grant> ParseGrants(JsonNode? statement)
    {
        var members = statement!.AsObject();
        if (members.Select(m => m.Key).Except(["Sid", "Effect", "Action", "Resource", "Condition"]).FirstOrDefault() is { } unknown || (string?)members["Effect"] != "Allow")
        {
            throw new NotSupportedException($"Not known here in a statement: {members.ToJsonString()}");
        }
        var conditions = (members["Condition"]?.AsObject() ?? []).SelectMany(by => by.Value!.AsObject().Select(key => new Condition(by.Key, key.Key, Texts(key.Value)))).ToArray();
        foreach (var action in Texts(members["Action"]))
        {
            if (action.Contains('*', StringComparison.Ordinal))
            {
                throw new NotSupportedException($"{action} allows more than can be known.");
            }
            foreach (var resource in Texts(members["Resource"]))
            {
                yield return new Grant(new IamCall(action, resource), conditions);
            }
        }
    }

    private static bool ConditionHolds(Condition condition, IReadOnlyDictionary<string, string[]> context)
    {
        var found = context.GetValueOrDefault(condition.Key);
        bool IsOne(string value) => condition.Values.Contains(value, StringComparer.Ordinal);
        bool IsLikeOne(string value) => condition.Values.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, value, ignoreCase: false));
        return condition.Operator switch
        {
            "StringEquals" => found is [var one] && IsOne(one),
            "StringLike" => found is [var one] && IsLikeOne(one),
            "ForAllValues:StringEquals" => found is null || found.All(IsOne),
            "Null" => condition.Values is [var isAbsent] && (found is null) == (isAbsent == "true"),
            _ => throw new NotSupportedException($"The condition {condition.Operator} is not known here."),
        };
    }

    private static string[] Texts(JsonNode? node) => node switch
    {
        JsonArray many => [.. many.Select(one => one!.GetValue<string>())],
        not null => [node.GetValue<string>()],
        null => throw new NotSupportedException("A statement needs an action and a resource."),
    };

    private sealed record Grant(IamCall Allowed, Condition[] Conditions);

    private sealed record Condition(string Operator, string Key, string[] Values);
}
