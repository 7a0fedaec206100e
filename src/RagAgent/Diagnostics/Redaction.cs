using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using RagAgent.Configuration.Binding;
using RagAgent.Configuration.Errors;

namespace RagAgent.Diagnostics;

/// <summary>Redacts documents that are shared with others.</summary>
internal static partial class Redaction
{
    public const string Mask = "***";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Removes a configuration's comments, and masks every value that is not known to be harmless.</summary>
    public static string Configuration(string text) => Rewrite(text, KnownKeys.Root, KnownKeys.ChildPath, MaskConfigurationValue);

    /// <summary>Masks the values of environment variables in the output of <c>docker inspect</c>. The names stay.</summary>
    public static string ContainerInspection(string text) => Rewrite(text, "", KnownKeys.Join, (path, value) =>
        path?.EndsWith("Config.Env.[]", StringComparison.Ordinal) == true && value.ValueKind == JsonValueKind.String
            ? $"{value.GetString()!.Split('=')[0]}={Mask}"
            : null);

    /// <summary>Keeps JSON as it is, and drops any other text, because its content is unknown.</summary>
    public static string Document(string text) => Rewrite(text, "", KnownKeys.Join, (_, _) => null);

    /// <summary>Masks user and password in URLs: <c>http://***@proxy:3128</c>.</summary>
    public static string UrlCredentials(string text) => UserInfo().Replace(text, $"{Mask}@");

    private static string? MaskConfigurationValue(string? path, JsonElement value) => value.ValueKind switch
    {
        _ when path is null => Mask,
        JsonValueKind.Null => null,
        JsonValueKind.Object or JsonValueKind.Array => KnownKeys.IsSection(path) ? null : Mask,
        JsonValueKind.String when Quoting.ContainsOpenAiKey(value.GetString()!) => Mask,
        // A reference to a secret stays. A secret in its place is masked.
        JsonValueKind.String when KnownKeys.IsSecretSource(path) && value.GetString() is ['/', ..] or ['a', 'r', 'n', ':', ..] => null,
        _ => KnownKeys.IsPublic(path) ? null : Mask,
    };

    // Up to the last '@' before the path: a password may contain one.
    [GeneratedRegex("""(?<=://)[^\s/?#"]+@""")]
    private static partial Regex UserInfo();

    /// <param name="text">The JSON to redact.</param>
    /// <param name="root">The path of the root element.</param>
    /// <param name="getChildPath">Returns the path of a member or of an array item (<c>[]</c>) below a path; null if it is unknown.</param>
    /// <param name="mask">Returns the replacement for the value at a path; null keeps the value or descends into it.</param>
    private static string Rewrite(
        string text, string root, Func<string, string, string?> getChildPath, Func<string?, JsonElement, string?> mask)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Lenient);
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
            {
                Write(writer, document.RootElement, root);
            }
            return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
        }
        catch (JsonException exception)
        {
            return $"Not shown: it is not valid JSON (line {exception.LineNumber + 1}).\n";
        }
        catch (InvalidOperationException)
        {
            return "Not shown: it contains half of a surrogate pair (\\ud800 to \\udfff alone).\n";
        }

        void Write(Utf8JsonWriter writer, JsonElement element, string? path)
        {
            switch (element.ValueKind)
            {
                case var _ when mask(path, element) is { } replacement:
                    writer.WriteStringValue(replacement);
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var member in element.EnumerateObject())
                    {
                        var childPath = getChildPath(path!, member.Name);
                        // An unknown name among the secrets or variables may be a misplaced value.
                        var mayBeValue = childPath is null &&
                            (path!.StartsWith("secrets", StringComparison.Ordinal) || path == "environment");
                        writer.WritePropertyName(mayBeValue || Quoting.ContainsOpenAiKey(member.Name) ? Mask : member.Name);
                        Write(writer, member.Value, childPath);
                    }
                    writer.WriteEndObject();
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in element.EnumerateArray())
                    {
                        Write(writer, item, getChildPath(path!, "[]"));
                    }
                    writer.WriteEndArray();
                    break;
                default:
                    element.WriteTo(writer);
                    break;
            }
        }
    }
}
