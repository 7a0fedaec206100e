using System.Net.Sockets;
using System.Text;

namespace RagAgent.Tests.Proxy;

/// <summary>A visitor who writes the bytes himself.</summary>
internal static class RawHttpClient
{
    /// <summary>Sends this, each character a byte, and reads until the other side closes.</summary>
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
            response.Append("(reset)");   // closed before all that was sent was read
        }
        await sending;
        return response.ToString();
    }

    /// <summary>The status of each answer in what was read.</summary>
    public static string StatusCodes(string answers) =>
        string.Join(' ', answers.Split("HTTP/1.1 ").Skip(1).Select(response => response[..3]));

    private static async Task SendAsync(NetworkStream stream, string bytes, CancellationToken stopping)
    {
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), stopping);
        }
        catch (IOException)
        {
            return;   // refused before it was read
        }
    }
}
