using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace RagAgent.Diagnostics.Logging;

/// <summary>Builds a journal entry, field by field, in the format of the journal's native socket.</summary>
internal sealed class JournalEntry
{
    /// <summary>Longer values are cut, so that an entry with all its fields fits into one datagram.</summary>
    public const int MaxValueLength = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <param name="name">Capital letters, digits and underscores, not starting with an underscore.</param>
    /// <param name="value">Any length and content.</param>
    public JournalEntry Add(string name, string value)
    {
        value = value.Length > MaxValueLength ? value[..MaxValueLength] : value;
        Write(name);
        if (!value.Contains('\n', StringComparison.Ordinal))
        {
            Write("=");
            Write(value);
        }
        else
        {
            Write("\n");
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.GetSpan(sizeof(ulong)), (ulong)Encoding.UTF8.GetByteCount(value));
            _bytes.Advance(sizeof(ulong));
            Write(value);
        }
        Write("\n");
        return this;
    }

    private void Write(string text) => Encoding.UTF8.GetBytes(text, _bytes);
}
