using System.Text.Json;
using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>The token exchange of registries other than ECR (Docker Hub, GHCR and others), for public images.</summary>
internal sealed record BearerTokenExchange(Uri Realm, string? Service, string? Scope)
{
    public static BearerTokenExchange? FromResponse(HttpResponseMessage response)
    {
        var bearer = response.Headers.WwwAuthenticate.FirstOrDefault(h => h.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase));
        if (bearer?.Parameter is not { } parameters)
        {
            return null;
        }
        string? Value(string name)
        {
            var at = parameters.IndexOf(name + "=\"", StringComparison.OrdinalIgnoreCase);
            var from = at + name.Length + 2;
            var end = at < 0 ? -1 : parameters.IndexOf('"', from);
            return end < 0 ? null : parameters[from..end];
        }
        return Uri.TryCreate(Value("realm"), UriKind.Absolute, out var realm) && (realm.Scheme is "http" or "https")
            ? new BearerTokenExchange(realm, Value("service"), Value("scope"))
            : null;
    }

    public async Task<string> RequestTokenAsync(HttpClient http, RegistryLogin access, CancellationToken stopping)
    {
        var query = (Realm.Query.Length > 0 ? "&" : "?") + $"service={Uri.EscapeDataString(Service ?? access.Host)}" +
            (Scope is null ? "" : $"&scope={Uri.EscapeDataString(Scope)}");
        using var response = await http.GetAsync(new Uri(Realm + query), stopping);
        if (response.IsSuccessStatusCode && ParseToken(await response.Content.ReadAsByteArrayAsync(stopping)) is { } token)
        {
            return token;
        }
        throw new ProblemException(new Problem(ProblemCatalog.RegistryDenied,
            $"The registry {access.Host} refused anonymous access to the image.",
            "Check the image's name. From registries other than ECR, only public images can be pulled."));
    }

    private static string? ParseToken(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            string? Text(string name) =>
                document.RootElement.TryGetProperty(name, out var token) && token.GetString() is { Length: > 0 } text ? text : null;
            return Text("token") ?? Text("access_token");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;   // the caller reports the missing token; the exception's text could contain one
        }
    }
}
