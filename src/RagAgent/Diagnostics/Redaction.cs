using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using RagAgent.Configuration;

namespace RagAgent.Diagnostics;

/// <summary>Takes out of documents what others than the owner should not read.</summary>
internal static partial class Redaction
{
    private const string Gone = "***";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>A configuration without its comments, and without each value of which the contract does not say that others may see it.</summary>
    public static string Configuration(string text) => Rewrite(text, KnownKeys.File, KnownKeys.Below, OfConfiguration);

    /// <summary><c>docker inspect</c> without the values of environment variables: the names stay.</summary>
    public static string Inspection(string text) => Rewrite(text, "", KnownKeys.Join, (place, value) =>
        place?.EndsWith("Config.Env.[]", StringComparison.Ordinal) == true && value.ValueKind == JsonValueKind.String ? $"{value.GetString()!.Split('=')[0]}={Gone}" : null);

    /// <summary>All of it, when it is JSON: of a text that is not, nothing says what it holds.</summary>
    public static string Document(string text) => Rewrite(text, "", KnownKeys.Join, (_, _) => null);

    /// <summary>Addresses without the user and password in them: <c>http://***@proxy:3128</c>.</summary>
    public static string Addresses(string text) => UserInfo().Replace(text, $"{Gone}@");

    private static string? OfConfiguration(string? place, JsonElement value) => value.ValueKind switch
    {
        _ when place is null => Gone,
        JsonValueKind.Null => null,
        JsonValueKind.Object or JsonValueKind.Array => KnownKeys.IsSection(place) ? null : Gone,
        JsonValueKind.String when Shown.HoldsOpenAiKey(value.GetString()!) => Gone,
        // Where the secret lies, and not the secret itself in its place.
        JsonValueKind.String when KnownKeys.IsSource(place) && value.GetString() is ['/', ..] or ['a', 'r', 'n', ':', ..] => null,
        _ => KnownKeys.MayBeShown(place) ? null : Gone,
    };

    // Up to the last '@' of the host's part: a password may hold one.
    [GeneratedRegex("""(?<=://)[^\s/?#"]+@""")]
    private static partial Regex UserInfo();

    /// <param name="text">JSON.</param>
    /// <param name="root">The place of the whole.</param>
    /// <param name="below">The place of a member, or of an entry (<c>[]</c>), of what stands at a place; null: of an unknown one.</param>
    /// <param name="cover">What is shown instead of the value at a place; null: the value itself.</param>
    private static string Rewrite(string text, string root, Func<string, string, string?> below, Func<string?, JsonElement, string?> cover)
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
        catch (JsonException e)
        {
            return $"It is not valid JSON, so it is not shown (line {e.LineNumber + 1}).\n";
        }
        catch (InvalidOperationException)
        {
            return "It holds half of a character pair (\\ud800 to \\udfff alone), so it is not shown.\n";
        }

        void Write(Utf8JsonWriter writer, JsonElement element, string? place)
        {
            switch (element.ValueKind)
            {
                case var _ when cover(place, element) is { } instead:
                    writer.WriteStringValue(instead);
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var member in element.EnumerateObject())
                    {
                        var inside = below(place!, member.Name);
                        // What is no name may be the value, in the wrong place.
                        var isName = inside is not null || !(place!.StartsWith("secrets", StringComparison.Ordinal) || place == "environment");
                        writer.WritePropertyName(isName && !Shown.HoldsOpenAiKey(member.Name) ? member.Name : Gone);
                        Write(writer, member.Value, inside);
                    }
                    writer.WriteEndObject();
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in element.EnumerateArray())
                    {
                        Write(writer, item, below(place!, "[]"));
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
