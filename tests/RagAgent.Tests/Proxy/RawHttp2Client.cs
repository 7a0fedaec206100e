using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace RagAgent.Tests.Proxy;

/// <summary>A client that writes raw HTTP/2 frames. It answers pings and settings automatically.</summary>
internal sealed class RawHttp2Client : IAsyncDisposable
{
    private readonly SslStream _stream;
    private readonly CancellationToken _stop;
    private readonly SemaphoreSlim _writeLock = new(1);   // reading also writes: it answers pings and settings

    private RawHttp2Client(SslStream stream, CancellationToken stopping) => (_stream, _stop) = (stream, stopping);

    /// <param name="frontDoor">The server.</param>
    /// <param name="stopping">Ends the test.</param>
    /// <param name="window">How many bytes of a response the server may send per stream; null: the protocol's default of 65,535.</param>
    public static async Task<RawHttp2Client> ConnectAsync(HttpsFrontDoorFixture frontDoor, CancellationToken stopping, int? window = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, frontDoor.Https, stopping);
        var stream = new SslStream(socket.GetStream());
        var options = frontDoor.Authority.ClientOptions(HttpsFrontDoorFixture.Now);
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        await stream.AuthenticateAsClientAsync(options, stopping);
        var client = new RawHttp2Client(stream, stopping);
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), stopping);
        byte[] settings = window is { } size ? [0, 4, .. BigEndian(size)] : [];
        await client.SendAsync(new Http2Frame(Http2Frame.Settings, 0, 0, settings));
        return client;
    }

    /// <exception cref="IOException">The server has closed the connection.</exception>
    public async Task SendAsync(params Http2Frame[] frames)
    {
        await _writeLock.WaitAsync(_stop);
        try
        {
            await _stream.WriteAsync((byte[])[.. frames.SelectMany(Bytes)], _stop);
        }
        finally
        {
            _writeLock.Release();
        }
    }

    /// <summary>Sends a request on a new stream: an odd number, higher than any before.</summary>
    public Task RequestAsync(
        int stream, string path = "/", string method = "GET", bool ends = true, params (string Name, string Value)[] more) =>
        SendAsync(new Http2Frame(Http2Frame.Headers, (byte)(Http2Frame.EndHeaders | (ends ? Http2Frame.EndStream : 0)), stream,
            Fields([(":method", method), (":scheme", "https"), (":authority", "rag.example.com"), (":path", path), .. more])));

    /// <summary>Header fields as literals without indexing (RFC 7541, 6.2.2).</summary>
    public static byte[] Fields(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Literal(field.Name), .. Literal(field.Value)])];

    /// <summary>The next frame other than settings and pings; null if the server has closed the connection.</summary>
    public async Task<Http2Frame?> ReadAsync()
    {
        var head = new byte[9];
        try
        {
            while (true)
            {
                await _stream.ReadExactlyAsync(head, _stop);
                var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await _stream.ReadExactlyAsync(payload, _stop);
                var frame = new Http2Frame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
                switch (frame)
                {
                    case { Type: Http2Frame.Ping, Flags: 0 }:
                        await SendAsync(frame with { Flags = 1 });
                        break;
                    case { Type: Http2Frame.Settings, Flags: 0 }:
                        await SendAsync(new Http2Frame(Http2Frame.Settings, 1, 0, []));
                        break;
                    case { Type: Http2Frame.Settings or Http2Frame.Ping }:
                        break;
                    default:
                        return frame;
                }
            }
        }
        catch (Exception exception) when (exception is IOException)
        {
            return null;
        }
    }

    /// <summary>Reads until a frame of this type; null if the connection ends before.</summary>
    public async Task<Http2Frame?> ReadUntilAsync(byte type)
    {
        var frame = await ReadAsync();
        while (frame is not null && frame.Type != type)
        {
            frame = await ReadAsync();
        }
        return frame;
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _writeLock.Dispose();
    }

    public static byte[] BigEndian(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Bytes(Http2Frame frame)
    {
        var length = frame.Payload.Length;
        return
        [
            (byte)(length >> 16), (byte)(length >> 8), (byte)length, frame.Type, frame.Flags, .. BigEndian(frame.Stream), .. frame.Payload,
        ];
    }

    private static byte[] Literal(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (bytes.Length < 127)
        {
            return [(byte)bytes.Length, .. bytes];
        }
        var length = new List<byte> { 127 };
        var rest = bytes.Length - 127;
        for (; rest >= 128; rest /= 128)
        {
            length.Add((byte)((rest % 128) | 128));
        }
        return [.. length, (byte)rest, .. bytes];
    }
}
