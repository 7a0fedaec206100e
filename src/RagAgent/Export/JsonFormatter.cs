using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RagAgent.Export;

/// <summary>A document as people read and change it: indented, and without <c>\u003C</c> for a mark.</summary>
internal static class JsonFormatter
{
    public static string Format(JsonObject document)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    public static JsonArray ToArray(IEnumerable<JsonNode?> entries) => [.. entries];

    /// <summary>Null, which is left out of a document, for an array with nothing in it.</summary>
    public static JsonArray? ToArrayOrNull(IEnumerable<JsonNode?> entries) => ToArray(entries) is { Count: > 0 } array ? array : null;
}
