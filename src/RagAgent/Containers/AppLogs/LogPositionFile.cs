using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RagAgent.Containers.AppLogs;

/// <summary>A container's <see cref="LogPosition"/> on disk.</summary>
/// <remarks>
/// One record of fixed length, written over in place by one system call: after a kill of the agent it is the one before or the one
/// after. Nothing is forced to the disk: a power cut ends the container as well.
/// </remarks>
internal sealed class LogPositionFile : IDisposable
{
    private const string FormatVersion = "ragagent-log-1";
    private const int RecordLength = 160;
    private readonly string _path;
    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not.</exception>
    public LogPositionFile(string path)
    {
        _path = path;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <returns>Null when there is no record, or one that is not whole.</returns>
    public LogPosition? Read()
    {
        var record = new byte[RecordLength + 1];
        return RandomAccess.Read(_file, record, 0) == RecordLength ? Parse(record.AsSpan(0, RecordLength)) : null;
    }

    /// <param name="record">Made by <see cref="Format"/>.</param>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Write(byte[] record) => RandomAccess.Write(_file, record, 0);

    public void Delete()
    {
        Dispose();
        File.Delete(_path);
    }

    public void Dispose() => _file.Dispose();

    public static byte[] Format(LogPosition position)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{FormatVersion} {position.Since:D19} {position.FirstTimestamp:D19} {position.HandledSince:D19} {position.HandledBefore:D19} {position.NewestTimestamp:D19}");
        var record = Encoding.ASCII.GetBytes($"{text} {Checksum(Encoding.ASCII.GetBytes(text))}".PadRight(RecordLength - 1) + "\n");
        return record.Length == RecordLength ? record : throw new InvalidOperationException("The record has another length.");
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
