using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws.Services;

namespace LocalAws.Ssm;

/// <summary>Parameter Store's API of 2014-11-06: GetParameter, GetParameters, PutParameter.</summary>
internal sealed class SsmService(ParameterStore store, string region, string account) : IJsonService
{
    private const string SecretReference = "/aws/reference/secretsmanager/";

    public string TargetPrefix => "AmazonSSM";

    public string SigningName => "ssm";

    public string ResourceOf(string action, JsonObject input)
    {
        var name = Text(input["Name"]) ?? Text((input["Names"] as JsonArray)?.FirstOrDefault());
        return name is null ? "*" : ParameterName.Arn(ParameterName.Parse(name).Name, region, account);
    }

    public JsonObject Handle(string action, JsonObject input, string principal) => action switch
    {
        "GetParameter" => new JsonObject { ["Parameter"] = Get(Required(input, "Name"), WithDecryption(input)) },
        "GetParameters" => GetMany(input),
        "PutParameter" => Put(input),
        _ => throw new AwsErrorException(AwsError.BadRequest("UnknownOperationException", null)),
    };

    private JsonObject Get(string text, bool withDecryption)
    {
        var requested = ParameterName.Parse(text);
        if (requested.Name.StartsWith(SecretReference, StringComparison.Ordinal))
        {
            return GetSecret(requested.Name, withDecryption);
        }
        // The real service sends no message with this error.
        var latest = store.Latest(requested.Name) ?? throw new AwsErrorException(AwsError.BadRequest("ParameterNotFound", null));
        if (requested.Selector.Length == 0)
        {
            return Describe(latest, "", withDecryption);
        }

        var selected = requested.Version is { } version ? store.Version(requested.Name, version) : null;
        return selected is null
            ? throw new AwsErrorException(AwsError.BadRequest("ParameterVersionNotFound",
                $"Systems Manager could not find version {requested.Selector[1..]} of {requested.Name}. Verify the version and try again."))
            : Describe(selected, requested.Selector, withDecryption);
    }

    private JsonObject GetMany(JsonObject input)
    {
        var found = new JsonArray();
        var invalid = new JsonArray();
        foreach (var name in (input["Names"] as JsonArray ?? []).Select(n => Text(n) ?? ""))
        {
            try
            {
                found.Add(Get(name, WithDecryption(input)));
            }
            catch (AwsErrorException missing) when (missing.Error.Type is "ParameterNotFound" or "ParameterVersionNotFound")
            {
                invalid.Add(name);
            }
        }
        return new JsonObject { ["Parameters"] = found, ["InvalidParameters"] = invalid };
    }

    private JsonObject Put(JsonObject input)
    {
        var name = Required(input, "Name");
        var overwrite = Flag(input, "Overwrite");
        if (!overwrite && store.Latest(name) is not null)
        {
            throw new AwsErrorException(AwsError.BadRequest("ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."));
        }

        if (!Enum.TryParse<ParameterType>(Text(input["Type"]) ?? store.Latest(name)?.Type.ToString(), out var type))
        {
            throw new AwsErrorException(AwsError.BadRequest("ValidationException", "A parameter type is required when you create a parameter."));
        }

        return new JsonObject { ["Version"] = store.Put(name, Required(input, "Value"), type), ["Tier"] = "Standard" };
    }

    private JsonObject Describe(StoredParameter parameter, string selector, bool withDecryption)
    {
        var encrypted = parameter.Type == ParameterType.SecureString && !withDecryption;
        var output = new JsonObject
        {
            ["ARN"] = ParameterName.Arn(parameter.Name, region, account),
            ["DataType"] = "text",
            ["LastModifiedDate"] = parameter.Modified.ToUnixTimeMilliseconds() / 1000.0,
            ["Name"] = parameter.Name,
            ["Type"] = parameter.Type.ToString(),
            ["Value"] = encrypted ? Ciphertext(parameter) : parameter.Value,
            ["Version"] = parameter.Version,
        };
        if (selector.Length > 0)
        {
            output["Selector"] = selector;
        }

        return output;
    }

    private JsonObject GetSecret(string name, bool withDecryption)
    {
        if (!withDecryption)
        {
            throw new AwsErrorException(AwsError.BadRequest("ValidationException",
                "WithDecryption flag must be True for retrieving a Secret Manager secret."));
        }

        var id = name[SecretReference.Length..];
        var value = store.Secret(id) ?? throw new AwsErrorException(AwsError.BadRequest("ParameterNotFound",
            $"An error occurred (ResourceNotFoundException) when referencing Secrets Manager: Secret {name} not found."));
        var source = new JsonObject
        {
            ["ARN"] = $"arn:aws:secretsmanager:{region}:{account}:secret:{id}-AbCdEf",
            ["name"] = id,
            ["secretString"] = value,
            ["versionStages"] = new JsonArray("AWSCURRENT"),
        };
        return new JsonObject
        {
            ["ARN"] = ParameterName.Arn(name, region, account),
            ["DataType"] = "text",
            ["Name"] = name,
            ["SourceResult"] = source.ToJsonString(),
            ["Type"] = nameof(ParameterType.SecureString),
            ["Value"] = value,
            ["Version"] = 0,
        };
    }

    // Looks like a ciphertext of KMS and contains nothing of the value.
    private static string Ciphertext(StoredParameter parameter) => "AQICAH" + Convert.ToBase64String(SHA512.HashData(
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{parameter.Name}:{parameter.Version}"))));

    private static bool WithDecryption(JsonObject input) => Flag(input, "WithDecryption");

    private static bool Flag(JsonObject input, string key) => input[key] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Required(JsonObject input, string key) => Text(input[key])
        ?? throw new AwsErrorException(AwsError.BadRequest("ValidationException",
            $"1 validation error detected: Value null at '{key.ToLowerInvariant()}' failed to satisfy constraint: Member must not be null"));
}
