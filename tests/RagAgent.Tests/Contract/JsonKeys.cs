using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace RagAgent.Tests.Contract;

/// <summary>The paths of a JSON document and the types of their values, from the generated serializer.</summary>
internal static class JsonKeys
{
    public static IEnumerable<string> Of(string document, JsonTypeInfo root) => Walk(document, root);

    private static IEnumerable<string> Walk(string path, JsonTypeInfo type)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                return Walk($"{path}[]", type.Options.GetTypeInfo(type.ElementType!));
            case JsonTypeInfoKind.Dictionary:
                return Walk($"{path}.*", type.Options.GetTypeInfo(type.ElementType!));
            case JsonTypeInfoKind.Object:
                var cases = type.PolymorphismOptions is { } variants
                    ? variants.DerivedTypes.SelectMany(variant =>
                        Walk(
                            $"{path}({variants.TypeDiscriminatorPropertyName}={variant.TypeDiscriminator})",
                            type.Options.GetTypeInfo(variant.DerivedType)))
                    : [];
                var dot = path.EndsWith(' ') ? "" : ".";
                return cases.Concat(type.Properties.Where(key => key.Get is not null)
                    .SelectMany(key => Walk($"{path}{dot}{key.Name}", type.Options.GetTypeInfo(key.PropertyType))));
            default:
                return [$"{path} {Word(Nullable.GetUnderlyingType(type.Type) ?? type.Type)}"];
        }
    }

    private static string Word(Type type) => type switch
    {
        _ when type == typeof(bool) => "boolean",
        _ when type == typeof(int) || type == typeof(long) || type == typeof(double) => "number",
        _ when type == typeof(DateTimeOffset) => "time",
        _ when type == typeof(string) => "string",
        _ when type == typeof(JsonElement) => "object",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "This type has no word here yet."),
    };
}
