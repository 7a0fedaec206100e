using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// A CloudFormation template, evaluated as CloudFormation would with these parameters: conditions and functions are resolved.
/// Strict: an unknown function, name or resource value is an error, never a guess.
/// </summary>
internal sealed partial class CloudFormationTemplate
{
    /// <summary>Marks <c>AWS::NoValue</c>: the property or list item is left out.</summary>
    private static readonly JsonNode NoValue = JsonValue.Create("AWS::NoValue")!;

    private static readonly Dictionary<string, string> PseudoParameters = new()
    {
        ["AWS::Partition"] = "aws",
        ["AWS::Region"] = "eu-central-1",
        ["AWS::AccountId"] = "123456789012",
        ["AWS::URLSuffix"] = "amazonaws.com",
        ["AWS::StackName"] = "ragstream",
        ["AWS::StackId"] = "arn:aws:cloudformation:eu-central-1:123456789012:stack/ragstream/0a1b2c3d",
    };

    private readonly YamlMappingNode _root;
    private readonly Dictionary<string, string> _parameters;
    private readonly Dictionary<string, string> _made;

    private static readonly string TemplateFile = RepositoryFiles.PathOf("packaging/cloudformation/ragstream.yaml");

    public const string InstanceId = "i-0123456789abcdef0";

    /// <summary>The project's own template.</summary>
    public static CloudFormationTemplate Stack(params (string Name, string Value)[] parameters) =>
        new(TemplateFile, parameters.ToDictionary(p => p.Name, p => p.Value), new Dictionary<string, string>
        {
            ["Instance"] = InstanceId,
            ["InstanceRole"] = "ragstream-InstanceRole",
            ["InstanceProfile"] = "ragstream-InstanceProfile",
            ["SecurityGroup.GroupId"] = "sg-0123",
            ["NightlyStopRole.Arn"] = "arn:aws:iam::123456789012:role/ragstream-NightlyStopRole",
            ["DataVolume"] = "vol-0123456789abcdef0",
            ["CiUser"] = "github-ragstream-ci",
            ["CiRole"] = "github-ragstream-ci",
            ["CiRole.Arn"] = "arn:aws:iam::123456789012:role/github-ragstream-ci",
            ["OidcProvider"] = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
        });

    /// <param name="path">The template's file.</param>
    /// <param name="parameters">Values that replace the template's defaults.</param>
    /// <param name="made">What <c>Ref</c> ("Name") and <c>GetAtt</c> ("Name.Attribute") return for resources.</param>
    /// <exception cref="KeyNotFoundException">There is no such parameter.</exception>
    /// <exception cref="ArgumentException">The template does not allow a parameter's value.</exception>
    public CloudFormationTemplate(string path, IReadOnlyDictionary<string, string> parameters, IReadOnlyDictionary<string, string> made)
    {
        var stream = new YamlStream();
        using var text = File.OpenText(path);
        stream.Load(text);
        _root = (YamlMappingNode)stream.Documents[0].RootNode;
        _made = new Dictionary<string, string>(made);
        _parameters = Members(Section("Parameters")).ToDictionary(
            p => p.Name,
            p => p.Value is YamlMappingNode described && described.Children.TryGetValue("Default", out var value) ? Scalar(value) : "");
        foreach (var (name, value) in parameters)
        {
            if (!_parameters.ContainsKey(name))
            {
                throw new KeyNotFoundException($"The template has no parameter {name}.");
            }
            _parameters[name] = Allowed(name, value);
        }
    }

    /// <summary>An output's value, or null if its condition is false.</summary>
    public string? Output(string name)
    {
        var output = (YamlMappingNode)Section("Outputs").Children[name];
        return IsCreated(output) ? Evaluate(output.Children["Value"])!.GetValue<string>() : null;
    }

    public IEnumerable<string> Parameters => _parameters.Keys;

    public IEnumerable<string> Outputs => Members(Section("Outputs")).Select(o => o.Name);

    /// <summary>A resource's properties, or null if its condition is false.</summary>
    public JsonObject? Resource(string name)
    {
        var resource = (YamlMappingNode)Section("Resources").Children[name];
        return IsCreated(resource) ? (JsonObject)Evaluate(resource.Children["Properties"])! : null;
    }

    /// <summary>The names of all created resources of a type.</summary>
    public IEnumerable<string> ResourcesOfType(string type) => Members(Section("Resources"))
        .Where(r => r.Value is YamlMappingNode resource && Scalar(resource.Children["Type"]) == type && IsCreated(resource))
        .Select(r => r.Name);

    private string Allowed(string name, string value)
    {
        var described = (YamlMappingNode)Section("Parameters").Children[name];
        var isAllowed = described.Children.TryGetValue("AllowedPattern", out var pattern) ? Regex.IsMatch(value, $"^(?:{Scalar(pattern)})$")
            : !described.Children.TryGetValue("AllowedValues", out var values) ||
                ((YamlSequenceNode)values).Children.Select(Scalar).Contains(value);
        return isAllowed ? value : throw new ArgumentException($"The template's parameter {name} may not be '{value}'.");
    }

    private bool IsCreated(YamlMappingNode resource) =>
        !resource.Children.TryGetValue("Condition", out var condition) || ConditionHolds(Scalar(condition));

    private YamlMappingNode Section(string name) => (YamlMappingNode)_root.Children[name];

    private JsonNode? Evaluate(YamlNode node)
    {
        if (Function(node) is var (name, argument))
        {
            return Call(name, argument);
        }
        switch (node)
        {
            case YamlMappingNode mapping:
                var made = new JsonObject();
                foreach (var (key, value) in Members(mapping))
                {
                    if (Evaluate(value) is var member && member != NoValue)
                    {
                        made[key] = member?.DeepClone();
                    }
                }
                return made;
            case YamlSequenceNode sequence:
                return new JsonArray(
                    [.. sequence.Children.Select(Evaluate).Where(member => member != NoValue).Select(member => member?.DeepClone())]);
            default:
                return JsonValue.Create(Scalar(node));
        }
    }

    /// <summary>A function in its short form (a tag) or its long form (a mapping with one key).</summary>
    private static (string Name, YamlNode Argument)? Function(YamlNode node)
    {
        if (!node.Tag.IsEmpty && node.Tag.Value is ['!', not '!', ..] tag)
        {
            return (tag[1..], node);
        }
        return node is YamlMappingNode { Children: [var only] } &&
            Scalar(only.Key) is var key &&
            (key.StartsWith("Fn::", StringComparison.Ordinal) || key == "Ref")
            ? (key.Split("::")[^1], only.Value)
            : null;
    }

    private JsonNode? Call(string function, YamlNode argument) => function switch
    {
        "Ref" => Scalar(argument) is "AWS::NoValue" ? NoValue : JsonValue.Create(Ref(Scalar(argument))),
        "GetAtt" => JsonValue.Create(_made[Scalar(argument)]),
        "Sub" => JsonValue.Create(Substitute(argument)),
        "If" when argument is YamlSequenceNode { Children: [var condition, var yes, var no] } => Evaluate(
            ConditionHolds(Scalar(condition)) ? yes : no),
        // The API gets this text in base64. Tests want the text.
        "Base64" => Evaluate(argument),
        "Select" when argument is YamlSequenceNode { Children: [var at, var from] } => (
            (JsonArray)Evaluate(from)!)[int.Parse(Scalar(at), CultureInfo.InvariantCulture)],
        "GetAZs" => new JsonArray($"{PseudoParameters["AWS::Region"]}a", $"{PseudoParameters["AWS::Region"]}b"),
        _ => throw new NotSupportedException($"The function !{function} is not supported."),
    };

    private string Substitute(YamlNode argument)
    {
        var (text, own) = argument is YamlSequenceNode { Children: [var first, YamlMappingNode given] }
            ? (Scalar(first), Members(given).ToDictionary(g => g.Name, g => Evaluate(g.Value)!.GetValue<string>()))
            : (Scalar(argument), []);
        return Variable().Replace(text, match => match.Groups[1].Value switch
        {
            ['!', .. var literal] => $"${{{literal}}}",
            var name when own.TryGetValue(name, out var value) => value,
            var name when name.Contains('.', StringComparison.Ordinal) => _made[name],
            var name => Ref(name),
        });
    }

    private string Ref(string name) => PseudoParameters.TryGetValue(name, out var pseudo) ? pseudo
        : _parameters.TryGetValue(name, out var parameter) ? parameter
        : _made.TryGetValue(name, out var made) ? made
        : throw new KeyNotFoundException($"{name} is neither a parameter nor a known resource.");

    private bool ConditionHolds(string condition) => EvaluateCondition(Section("Conditions").Children[condition]);

    private bool EvaluateCondition(YamlNode node) => Function(node) switch
    {
        ("Equals", YamlSequenceNode { Children: [var left, var right] }) => Evaluate(left)!
            .GetValue<string>() == Evaluate(right)!
            .GetValue<string>(),
        ("Not", YamlSequenceNode { Children: [var of] }) => !EvaluateCondition(of),
        ("And", YamlSequenceNode all) => all.Children.All(EvaluateCondition),
        ("Or", YamlSequenceNode any) => any.Children.Any(EvaluateCondition),
        ("Condition", var name) => ConditionHolds(Scalar(name)),
        var other => throw new NotSupportedException($"The condition !{other?.Name} is not supported."),
    };

    private static IEnumerable<(string Name, YamlNode Value)> Members(YamlMappingNode mapping) =>
        mapping.Children.Select(child => (Scalar(child.Key), child.Value));

    private static string Scalar(YamlNode node) => ((YamlScalarNode)node).Value ?? "";

    [GeneratedRegex(@"\$\{([^}]+)\}")]
    private static partial Regex Variable();
}
