using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using RagAgent.Configuration.Binding;
using RagAgent.Configuration.Errors;

namespace RagAgent.Diagnostics;

/// <summary>Takes out of documents what others than the owner should not read.</summary>
internal static partial class Redaction
{
    private const string Mask = "***";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>A configuration without its comments, and without each value of which the contract does not say that others may see it.</summary>
    public static string Configuration(string text) => Rewrite(text, KnownKeys.Root, KnownKeys.ChildPath, MaskConfigurationValue);

    /// <summary><c>docker inspect</c> without the values of environment variables: the names stay.</summary>
    public static string ContainerInspection(string text) => Rewrite(text, "", KnownKeys.Join, (path, value) =>
        path?.EndsWith("Config.Env.[]", StringComparison.Ordinal) == true && value.ValueKind == JsonValueKind.String ? $"{value.GetString()!.Split('=')[0]}={Mask}" : null);

    /// <summary>All of it, when it is JSON: of a text that is not, nothing says what it holds.</summary>
    public static string Document(string text) => Rewrite(text, "", KnownKeys.Join, (_, _) => null);

    /// <summary>Addresses without the user and password in them: <c>http://***@proxy:3128</c>.</summary>
    public static string UrlCredentials(string text) => UserInfo().Replace(text, $"{Mask}@");

    private static string? MaskConfigurationValue(string? path, JsonElement value) => value.ValueKind switch
    {
        _ when path is null => Mask,
        JsonValueKind.Null => null,
        JsonValueKind.Object or JsonValueKind.Array => KnownKeys.IsSection(path) ? null : Mask,
        JsonValueKind.String when Quoting.ContainsOpenAiKey(value.GetString()!) => Mask,
        // Where the secret lies, and not the secret itself in its place.
        JsonValueKind.String when KnownKeys.IsSecretSource(path) && value.GetString() is ['/', ..] or ['a', 'r', 'n', ':', ..] => null,
        _ => KnownKeys.IsPublic(path) ? null : Mask,
    };

    // Up to the last '@' of the host's part: a password may hold one.
    [GeneratedRegex("""(?<=://)[^\s/?#"]+@""")]
    private static partial Regex UserInfo();

    /// <param name="text">JSON.</param>
    /// <param name="root">The place of the whole.</param>
    /// <param name="getChildPath">The place of a member, or of an entry (<c>[]</c>), of what stands at a place; null: of an unknown one.</param>
    /// <param name="mask">What is shown instead of the value at a place; null: the value itself.</param>
    private static string Rewrite(string text, string root, Func<string, string, string?> getChildPath, Func<string?, JsonElement, string?> mask)
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
            return $"It is not valid JSON, so it is not shown (line {exception.LineNumber + 1}).\n";
        }
        catch (InvalidOperationException)
        {
            return "It holds half of a character pair (\\ud800 to \\udfff alone), so it is not shown.\n";
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
                        // What is no name may be the value, in the wrong place.
                        var isName = childPath is not null || !(path!.StartsWith("secrets", StringComparison.Ordinal) || path == "environment");
                        writer.WritePropertyName(isName && !Quoting.ContainsOpenAiKey(member.Name) ? member.Name : Mask);
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
