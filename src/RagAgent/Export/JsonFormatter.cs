using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagAgent.Export;

/// <summary>Formats documents for people: indented, and with <c>&lt;</c> instead of <c>\u003C</c> in placeholders.</summary>
internal static class JsonFormatter
{
    public static string Format(JsonObject document)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(bytes, options))
        {
            document.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    public static JsonArray ToArray(IEnumerable<JsonNode?> entries) => [.. entries];

    /// <summary>Null for an empty array, because members that are null are removed from the document.</summary>
    public static JsonArray? ToArrayOrNull(IEnumerable<JsonNode?> entries) => ToArray(entries) is { Count: > 0 } array ? array : null;
}
