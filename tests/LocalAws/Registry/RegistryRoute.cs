using System.Text.RegularExpressions;
using LocalAws.Requests;

namespace LocalAws.Registry;

/// <summary>A path of the registry API (v2), parsed.</summary>
/// <param name="Operation">As <see cref="Operations"/> names it.</param>
/// <param name="Repository">Null for <c>/v2/</c> itself and for other paths.</param>
/// <param name="Reference">A tag or digest; null if there is none.</param>
internal sealed partial record RegistryRoute(string Operation, string? Repository, string? Reference)
{
    public static RegistryRoute Parse(string path)
    {
        var match = Pattern().Match(path);
        if (!match.Success)
        {
            return new RegistryRoute(Operations.RegistryOther, null, null);
        }

        var rest = match.Groups["rest"].Value;
        var operation = match.Groups["kind"].Value switch
        {
            "manifests" => Operations.RegistryManifest,
            "blobs" => rest.StartsWith("uploads", StringComparison.Ordinal) ? Operations.RegistryUpload : Operations.RegistryBlob,
            _ => Operations.RegistryOther,
        };
        var reference = operation is Operations.RegistryManifest or Operations.RegistryBlob ? rest : null;
        return new RegistryRoute(operation, match.Groups["name"].Value, reference);
    }

    public override string ToString() => Reference is null ? Repository ?? "" : $"{Repository}{(Reference.Contains(':') ? '@' : ':')}{Reference}";

    [GeneratedRegex("^/v2/(?<name>.+?)/(?<kind>manifests|blobs|tags)/(?<rest>.+)$")]
    private static partial Regex Pattern();
}
