using System.CommandLine;
using LocalAws.Admin;

namespace LocalAws.Cli;

/// <summary>Calls the admin paths of a running LocalAws.</summary>
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

            result.AddError($"'{result.Tokens.Single().Value}' is not a URL like http://127.0.0.1:PORT.");
            return null;
        },
    };

    /// <returns>The response's text.</returns>
    /// <exception cref="LocalAwsException">LocalAws can't be reached, or refused the call.</exception>
    public static async Task<string> SendAsync(
        Uri endpoint, HttpMethod method, string path, HttpContent? content, CancellationToken stopping)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(method, new Uri(endpoint, AdminApi.Root + path)) { Content = content };
        try
        {
            using var response = await client.SendAsync(request, stopping);
            var answer = (await response.Content.ReadAsStringAsync(stopping)).TrimEnd();
            return response.IsSuccessStatusCode
                ? answer
                : throw new LocalAwsException($"{endpoint} refused the call ({(int)response.StatusCode}): {answer}");
        }
        catch (HttpRequestException failure)
        {
            throw new LocalAwsException($"LocalAws at {endpoint} can't be reached: {failure.Message} Is it running? `serve` prints its address.", failure);
        }
    }
}
