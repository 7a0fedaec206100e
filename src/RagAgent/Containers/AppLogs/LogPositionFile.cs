using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RagAgent.Containers.AppLogs;

/// <summary>A container's <see cref="LogPosition"/> on disk.</summary>
/// <remarks>
/// One record of fixed length, overwritten in place by one system call: if the agent is killed, the file holds either the old or
/// the new record. There is no fsync, because a power cut also ends the container.
/// </remarks>
internal sealed class LogPositionFile : IDisposable
{
    private const string FormatVersion = "ragagent-log-1";
    private const int RecordLength = 160;
    private readonly string _path;
    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">The file can't be created.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not create it.</exception>
    public LogPositionFile(string path)
    {
        _path = path;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <returns>Null if there is no record, or a damaged one.</returns>
    public LogPosition? Read()
    {
        var record = new byte[RecordLength + 1];
        return RandomAccess.Read(_file, record, 0) == RecordLength ? Parse(record.AsSpan(0, RecordLength)) : null;
    }

    /// <param name="record">From <see cref="Format"/>.</param>
    /// <exception cref="IOException">The record can't be written.</exception>
    public void Write(byte[] record) => RandomAccess.Write(_file, record, 0);

    public void Delete()
    {
        Dispose();
        File.Delete(_path);
    }

    public void Dispose() => _file.Dispose();

    public static byte[] Format(LogPosition position)
    {
        long[] numbers =
            [position.Since, position.FirstTimestamp, position.HandledSince, position.HandledBefore, position.NewestTimestamp];
        var text = $"{FormatVersion} {string.Join(' ', numbers.Select(number => number.ToString("D19", CultureInfo.InvariantCulture)))}";
        var record = Encoding.ASCII.GetBytes($"{text} {Checksum(Encoding.ASCII.GetBytes(text))}".PadRight(RecordLength - 1) + "\n");
        return record.Length == RecordLength
            ? record
            : throw new InvalidOperationException($"The record has {record.Length} bytes instead of {RecordLength}.");
    }

    internal static LogPosition? Parse(ReadOnlySpan<byte> record)
    {
        var parts = Encoding.ASCII.GetString(record).TrimEnd().Split(' ');
        if (parts is not [FormatVersion, var since, var first, var atOrAfter, var before, var newest, var checksum] ||
            checksum != Checksum(Encoding.ASCII.GetBytes(string.Join(' ', parts[..^1]))))
        {
            return null;
        }
        return new LogPosition(ParseNumber(since), ParseNumber(first), ParseNumber(atOrAfter), ParseNumber(before), ParseNumber(newest));
    }

    private static long ParseNumber(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Checksum(byte[] text) => Convert.ToHexStringLower(XxHash3.Hash(text));
}
