using System.Text;
using System.Text.Json;

namespace RagAgent.Diagnostics;

/// <summary>Takes out of documents what others than the owner should not read.</summary>
internal static class Redaction
{
    private const string Gone = "***";

    /// <summary>Relaxed: a file that is not valid JSON is not shown at all, since nothing says where its values stand.</summary>
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>A configuration without the values of its <c>environment</c> and without its comments.</summary>
    public static string Configuration(string text) => Rewrite(text, path => path is ["environment", _]);

    /// <summary><c>docker inspect</c> without the values of environment variables: the names stay.</summary>
    public static string Inspection(string text) => Rewrite(text, _ => false, path => path is [.., "Config", "Env"]);

    /// <param name="text">JSON.</param>
    /// <param name="hides">Whether the value at a path is taken out.</param>
    /// <param name="assigns">Whether the value at a path is a list of <c>NAME=value</c>.</param>
    private static string Rewrite(string text, Func<string[], bool> hides, Func<string[], bool>? assigns = null)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Lenient);
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
            {
                Write(writer, document.RootElement, []);
            }
            return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
        }
        catch (JsonException e)
        {
            return $"It is not valid JSON, so it is not shown (line {e.LineNumber + 1}).\n";
        }

        void Write(Utf8JsonWriter writer, JsonElement element, string[] path)
        {
            switch (element.ValueKind)
            {
                case var _ when hides(path):
                    writer.WriteStringValue(Gone);
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var member in element.EnumerateObject())
                    {
                        writer.WritePropertyName(member.Name);
                        Write(writer, member.Value, [.. path, member.Name]);
                    }
                    writer.WriteEndObject();
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in element.EnumerateArray())
                    {
                        if (assigns?.Invoke(path) == true && item.ValueKind == JsonValueKind.String)
                        {
                            writer.WriteStringValue($"{item.GetString()!.Split('=')[0]}={Gone}");
                        }
                        else
                        {
                            Write(writer, item, path);
                        }
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
