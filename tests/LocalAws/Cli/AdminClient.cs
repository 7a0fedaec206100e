using System.CommandLine;
using LocalAws.Admin;

namespace LocalAws.Cli;

/// <summary>Turns the switches of a LocalAws that runs.</summary>
internal static class AdminClient
{
    public static Option<Uri> EndpointOption() => new("--endpoint")
    {
        Required = true,
        Description = "The API endpoint that `serve` printed: http://127.0.0.1:PORT",
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var endpoint))
            {
                return endpoint;
            }

            result.AddError($"'{result.Tokens.Single().Value}' is no address; give one like http://127.0.0.1:PORT.");
            return null;
        },
    };

    /// <returns>What it answered.</returns>
    /// <exception cref="LocalAwsException">It is not there, or it refused.</exception>
    public static async Task<string> SendAsync(
        Uri endpoint, HttpMethod method, string path, HttpContent? content, CancellationToken stopping)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(method, new Uri(endpoint, AdminApi.Root + path)) { Content = content };
        try
        {
            using var response = await client.SendAsync(request, stopping);
            var answer = (await response.Content.ReadAsStringAsync(stopping)).TrimEnd();
            return response.IsSuccessStatusCode ? answer : throw new LocalAwsException($"{endpoint} refused ({(int)response.StatusCode}): {answer}");
        }
        catch (HttpRequestException failure)
        {
            throw new LocalAwsException($"No LocalAws at {endpoint}: {failure.Message} Is it running? `serve` prints its address.", failure);
        }
    }
}
