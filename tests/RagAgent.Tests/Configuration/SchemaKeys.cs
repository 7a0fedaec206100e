using System.Text.Json.Nodes;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Configuration;

/// <summary>The dotted keys of the JSON schema, written as in the reader's list.</summary>
internal static class SchemaKeys
{
    public static JsonObject Load() => JsonNode.Parse(RepositoryFiles.Read("packaging/ragagent.schema.json"))!.AsObject();

    public static IReadOnlyDictionary<string, JsonObject> Keys(JsonObject schema)
    {
        var keys = new Dictionary<string, JsonObject>();
        Collect(schema, "", keys);
        return keys;
    }

    private static void Collect(JsonObject schema, string path, Dictionary<string, JsonObject> keys)
    {
        foreach ((var name, var value) in schema["properties"] as JsonObject ?? [])
        {
            var key = path.Length == 0 ? name : $"{path}.{name}";
            keys.Add(key, value!.AsObject());
            Collect(value.AsObject(), key, keys);
        }

        if (schema["items"] is JsonObject items)
        {
            Collect(items, $"{path}[]", keys);
        }

        if (schema["additionalProperties"] is JsonObject named)
        {
            Collect(named, $"{path}.NAME", keys);
        }

        if (path.EndsWith(".NAME", StringComparison.Ordinal) || path == "access.password")
        {
            foreach (var choice in schema["oneOf"] as JsonArray ?? [])
            {
                Collect(choice!.AsObject(), path, keys);
            }
        }
    }
}
