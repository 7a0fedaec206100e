using System.Net.Sockets;
using System.Text;

namespace RagAgent.Tests.Proxy;

/// <summary>A client that sends raw bytes.</summary>
internal static class RawHttpClient
{
    /// <summary>Sends each character as one byte, and reads until the server closes the connection.</summary>
    public static async Task<string> ExchangeAsync(int port, string bytes, CancellationToken stopping)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, stopping);
        return await ExchangeAsync(client, bytes, stopping);
    }

    public static async Task<string> ExchangeAsync(TcpClient client, string bytes, CancellationToken stopping)
    {
        var stream = client.GetStream();
        var sending = SendAsync(stream, bytes, stopping);
        var response = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, stopping) is > 0 and var read)
            {
                response.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            response.Append("(reset)");   // closed before everything sent was read
        }
        await sending;
        return response.ToString();
    }

    /// <summary>The status code of each response.</summary>
    public static string StatusCodes(string responses) =>
        string.Join(' ', responses.Split("HTTP/1.1 ").Skip(1).Select(response => response[..3]));

    private static async Task SendAsync(NetworkStream stream, string bytes, CancellationToken stopping)
    {
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), stopping);
        }
        catch (IOException)
        {
            return;   // closed before everything was read
        }
    }
}
