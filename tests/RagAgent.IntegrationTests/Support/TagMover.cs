using System.Net.Http.Headers;
using LocalAws;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Points a tag at an image that is already in the registry.</summary>
internal static class TagMover
{
    public static async Task MoveAsync(
        HttpClient http, LocalAwsServer aws, string repository, string tag, string to, CancellationToken stopping)
    {
        using var found = await http.SendAsync(OciIndexPublisher.Request(aws, HttpMethod.Get, repository, to), stopping);
        found.EnsureSuccessStatusCode();
        var put = OciIndexPublisher.Request(aws, HttpMethod.Put, repository, tag);
        put.Content = new ByteArrayContent(await found.Content.ReadAsByteArrayAsync(stopping));
        put.Content.Headers.ContentType = new MediaTypeHeaderValue(found.Content.Headers.ContentType!.MediaType!);
        using var moved = await http.SendAsync(put, stopping);
        moved.EnsureSuccessStatusCode();
    }
}
