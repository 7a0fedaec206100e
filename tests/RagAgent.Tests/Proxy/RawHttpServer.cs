using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RagAgent.Tests.Proxy;

/// <summary>
/// An app that accepts only what RFC 9112 allows to the letter, and records every request.
/// Anything else is recorded as malformed.
/// </summary>
internal sealed class RawHttpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly Task _accepting;

    public RawHttpServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyList<RawRequest> Requests => [.. _requests];

    /// <summary>The answer to each request; null: the server closes the connection.</summary>
    public string? Response { get; set; } = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            return;   // the test is over
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            try
            {
                while (await ReadRequestAsync(stream) is { } request)
                {
                    _requests.Enqueue(request);
                    if (Response is null)
                    {
                        return;
                    }
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(Response), _end.Token);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                return;   // the client has disconnected, or the test is over
            }
            catch (FormatException exception)
            {
                _requests.Enqueue(new RawRequest($"MALFORMED: {exception.Message}", ""));
            }
        }
    }

    /// <exception cref="FormatException">The request violates RFC 9112.</exception>
    /// <exception cref="EndOfStreamException">The request is truncated.</exception>
    private async Task<RawRequest?> ReadRequestAsync(NetworkStream stream)
    {
        if (await ReadLineAsync(stream) is not { } line)
        {
            return null;
        }
        if (line.Split(' ') is not [_, _, "HTTP/1.1"])
        {
            throw new FormatException($"the request line '{line}'");
        }
        var head = new List<string> { line };
        while ((await ReadLineAsync(stream) ?? throw new FormatException("half a head")) is { Length: > 0 } header)
        {
            if (header[0] is ' ' or '\t' ||
                header.Split(':', 2) is not [{ Length: > 0 } name, _] ||
                name.Any(character => character is <= ' ' or >= '\x7f'))
            {
                throw new FormatException($"the header '{header}'");
            }
            head.Add(header);
        }
        var request = new RawRequest(string.Join("\r\n", head), "");
        try
        {
            return request with { Body = await ReadBodyAsync(stream, request) };
        }
        catch (EndOfStreamException)
        {
            _requests.Enqueue(request with { IsTruncated = true });
            return null;
        }
    }

    private async Task<string> ReadBodyAsync(NetworkStream stream, RawRequest request)
    {
        switch (request.Values("Content-Length"), request.Values("Transfer-Encoding"))
        {
            case ([], []):
                return "";
            case ([var length], []) when int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var count):
                return await ReadAsync(stream, count);
            case ([], ["chunked"]):
                var body = "";
                while (await ReadChunkSizeAsync(stream) is var size and > 0)
                {
                    body += await ReadAsync(stream, size);
                    if (await ReadLineAsync(stream) is not "")
                    {
                        throw new FormatException("a chunk that is longer than it says");
                    }
                }
                return await ReadLineAsync(stream) is "" ? body : throw new FormatException("something after the last chunk");
            default:
                throw new FormatException($"the framing of '{request.Head}'");
        }
    }

    private async Task<int> ReadChunkSizeAsync(NetworkStream stream)
    {
        var line = await ReadLineAsync(stream) ?? throw new EndOfStreamException();
        return int.Parse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    private async Task<string> ReadAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, _end.Token);
        return Encoding.Latin1.GetString(bytes);
    }

    /// <returns>Null at the end of the stream.</returns>
    private async Task<string?> ReadLineAsync(NetworkStream stream)
    {
        var line = new StringBuilder();
        var next = new byte[1];
        while (await stream.ReadAsync(next, _end.Token) == 1)
        {
            line.Append((char)next[0]);
            if (line is [.., '\n'] && line.Length >= 1)
            {
                return line.Length >= 2 && line[^2] == '\r' && !line.ToString(0, line.Length - 2).Contains('\r', StringComparison.Ordinal)
                    ? line.ToString(0, line.Length - 2)
                    : throw new FormatException($"the end of the line '{line}'");
            }
        }
        return line.Length == 0 ? null : throw new FormatException($"half a line '{line}'");
    }
}
