using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagAgent.Tests.Configuration;

/// <summary>Translates between dotted keys and places in a configuration.</summary>
internal static class SampleConfigKeys
{
    private const string Name = "OPENAI_API_KEY";

    public static JsonObject Parse(string text)
    {
        var options = new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };
        return JsonNode.Parse(text, null, options)!.AsObject();
    }

    /// <summary>The value of a key, which can be JSON null; null if the key is missing. For lists, that of the first entry.</summary>
    public static (JsonNode? Value, bool Found)? Find(JsonObject root, string key)
    {
        JsonNode? node = root;
        foreach (var part in key.Split('.'))
        {
            var inList = part.EndsWith("[]", StringComparison.Ordinal);
            var name = inList ? part[..^2] : part.Replace("NAME", Name, StringComparison.Ordinal);
            if (node is not JsonObject members || !members.TryGetPropertyValue(name, out node))
            {
                return null;
            }

            if (inList)
            {
                node = node!.AsArray()[0];
            }
        }

        return (node, true);
    }

    /// <summary>A file with this key and only the others that it requires.</summary>
    public static string ConfigWithOnly(string key, string value)
    {
        if (key == "image")
        {
            return $$"""{ "image": {{value}} }""";
        }

        var parts = key.Split('.');
        var text = $"\"{parts[^1]}\": {value}";
        if (key.StartsWith("secrets.NAME.", StringComparison.Ordinal) && parts[^1] is "json" or "delivery" or "path")
        {
            text += ", \"ssm\": \"/a\"";
        }

        if (key == "access.password.json")
        {
            text += ", \"ssm\": \"/a\"";
        }

        if (key.StartsWith("container.volumes[].", StringComparison.Ordinal) && parts[^1] != "host")
        {
            text += ", \"host\": \"/a\"";
        }

        if (key.StartsWith("container.volumes[].", StringComparison.Ordinal) && parts[^1] != "container")
        {
            text += ", \"container\": \"/a\"";
        }

        if (key.StartsWith("tls.", StringComparison.Ordinal) && parts[^1] != "certificate")
        {
            text += ", \"certificate\": \"/a\"";
        }

        if (key.StartsWith("tls.", StringComparison.Ordinal) && parts[^1] != "key")
        {
            text += ", \"key\": \"/a\"";
        }

        if (key.StartsWith("dns.", StringComparison.Ordinal) && parts[^1] != "zone")
        {
            text += ", \"zone\": \"Z1\"";
        }

        if (key.StartsWith("dns.", StringComparison.Ordinal) && parts[^1] != "name")
        {
            text += ", \"name\": \"rag.example.com\"";
        }

        foreach (var part in parts.Reverse().Skip(1))
        {
            text = part.EndsWith("[]", StringComparison.Ordinal)
                ? $$"""
                    "{{part[..^2]}}": [ { {{text}} } ]
                    """
                : $$"""
                    "{{part.Replace("NAME", Name, StringComparison.Ordinal)}}": { {{text}} }
                    """;
        }

        if (key.StartsWith("tls.", StringComparison.Ordinal))
        {
            text += ", \"listen\": { \"https\": 443 }";
        }

        if (key == "container.streamlitSecrets")
        {
            text += ", \"secrets\": { \"KEY\": \"/a\" }";
        }

        if (key == "listen.https")
        {
            text += ", \"tls\": { \"certificate\": \"/a\", \"key\": \"/a\" }";
        }

        return $$"""{ "image": "app", {{text}} }""";
    }

    /// <summary>The key as in messages about a file of <see cref="ConfigWithOnly"/>.</summary>
    public static string KeyInMessage(string key) =>
        key.Replace("NAME", Name, StringComparison.Ordinal).Replace("[]", "[0]", StringComparison.Ordinal);
}
