using System.Buffers;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Assembles the messages that one side of a WebSocket sends. Longer ones than <see cref="MaxLength"/> are skipped.</summary>
/// <remarks>Ignores protocol violations, except that it calls such a message unreadable.</remarks>
internal sealed class WebSocketMessageReader
{
    public const int MaxLength = 64 * 1024;

    // Nearly all messages of a browser are shorter.
    private const int KeptLength = 4 * 1024;

    private WebSocketFrameScanner _frames;
    private byte[] _buffer = [];
    private int _length;
    private bool _isInMessage;
    private bool _isTooLong;
    private bool _isPlain;

    /// <summary>A control frame can be sent now.</summary>
    public bool IsBetweenFrames => _frames.IsBetweenFrames;

    /// <summary>A message can be sent now.</summary>
    public bool IsBetweenMessages => IsBetweenFrames && !_isInMessage;

    /// <summary>Reads up to a frame's end, or until the bytes are used up.</summary>
    public WebSocketPart Read(ref ReadOnlySpan<byte> bytes)
    {
        var isNewFrame = _frames.IsBetweenFrames;
        var payload = _frames.ReadPart(ref bytes);
        if (!_frames.IsData)
        {
            return new WebSocketPart(WebSocketPartKind.Control, []);
        }
        if (isNewFrame)
        {
            BeginFrame();
        }
        var isEnd = _frames is { IsBetweenFrames: true, IsFinal: true };
        var content = Add(payload, isEnd);
        _isInMessage = !isEnd;
        return !_isPlain ? new WebSocketPart(WebSocketPartKind.Unreadable, [])
            : _isTooLong ? new WebSocketPart(WebSocketPartKind.TooLong, [])
            : isEnd ? new WebSocketPart(WebSocketPartKind.Message, content)
            : new WebSocketPart(WebSocketPartKind.Piece, []);
    }

    /// <summary>Gives back the memory of a long message, once it has been looked at.</summary>
    public void Trim()
    {
        if (!_isInMessage && _buffer.Length > KeptLength)
        {
            Release();
        }
    }

    private void BeginFrame()
    {
        if (!_isInMessage)
        {
            (_length, _isTooLong, _isPlain) = (0, false, true);
        }
        var opcode = _isInMessage ? WebSocketFrameScanner.Continuation : WebSocketFrameScanner.Binary;
        _isPlain &= _frames.Opcode == opcode && !_frames.UsesExtension;
        _isInMessage = true;
    }

    /// <returns>The message so far. It may be overwritten by the next one.</returns>
    private ReadOnlySpan<byte> Add(ReadOnlySpan<byte> payload, bool isEnd)
    {
        if (isEnd && _length == 0 && !_frames.IsMasked && payload.Length <= MaxLength)
        {
            return payload;
        }
        if (!_isPlain || _isTooLong || payload.Length > MaxLength - _length)
        {
            _isTooLong = true;
            Release();
            return [];
        }
        Reserve(_length + payload.Length);
        var target = _buffer.AsSpan(_length, payload.Length);
        payload.CopyTo(target);
        _frames.Unmask(target);
        _length += payload.Length;
        return _buffer.AsSpan(0, _length);
    }

    private void Reserve(int length)
    {
        if (length <= _buffer.Length)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(length);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        Release();
        _buffer = larger;
    }

    private void Release()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = [];
    }
}

/// <summary>A part of a frame.</summary>
/// <param name="kind">What it is.</param>
/// <param name="message">The whole message, unmasked; empty if this part doesn't end one.</param>
internal readonly ref struct WebSocketPart(WebSocketPartKind kind, ReadOnlySpan<byte> message)
{
    public WebSocketPartKind Kind { get; } = kind;

    public ReadOnlySpan<byte> Message { get; } = message;
}

internal enum WebSocketPartKind
{
    /// <summary>Of a ping, a pong or a close.</summary>
    Control,

    /// <summary>Of a message that goes on.</summary>
    Piece,

    /// <summary>The end of a message.</summary>
    Message,

    /// <summary>Of a message that is too long to be assembled, or its end.</summary>
    TooLong,

    /// <summary>Of a message that is text, compressed or not allowed, or its end.</summary>
    Unreadable,
}
