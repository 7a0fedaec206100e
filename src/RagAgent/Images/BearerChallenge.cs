using System.Text.Json;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>The token exchange of registries other than ECR (Docker Hub, GHCR …), for images that anyone may pull.</summary>
internal sealed record BearerChallenge(Uri Realm, string? Service, string? Scope)
{
    public static BearerChallenge? Find(HttpResponseMessage response)
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
        return Uri.TryCreate(Value("realm"), UriKind.Absolute, out var realm) ? new BearerChallenge(realm, Value("service"), Value("scope")) : null;
    }

    public async Task<string> TokenAsync(HttpClient http, RegistryAccess access, CancellationToken stopping)
    {
        var query = $"?service={Uri.EscapeDataString(Service ?? access.Host)}" + (Scope is null ? "" : $"&scope={Uri.EscapeDataString(Scope)}");
        using var response = await http.GetAsync(new Uri(Realm + query), stopping);
        if (response.IsSuccessStatusCode)
        {
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(stopping));
            foreach (var name in (string[])["token", "access_token"])
            {
                if (document.RootElement.TryGetProperty(name, out var token) && token.GetString() is { Length: > 0 } text)
                {
                    return text;
                }
            }
        }
        throw new ProblemException(new Problem("registry-denied", $"The registry {access.Host} gave out no token for anonymous access.",
            "Only public images of registries other than ECR can be used."));
    }
}
