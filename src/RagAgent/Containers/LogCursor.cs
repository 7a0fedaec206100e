using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RagAgent.Containers;

/// <summary>A container's <see cref="LogPlace"/> on disk.</summary>
/// <remarks>
/// One record of fixed length, written over in place by one system call: after a kill of the agent it is the one before or the one
/// after. Nothing is forced to the disk: a power cut ends the container as well.
/// </remarks>
internal sealed class LogCursor : IDisposable
{
    private const string Kind = "ragagent-log-1";
    private const int Length = 160;
    private readonly string _path;
    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not.</exception>
    public LogCursor(string path)
    {
        _path = path;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <returns>Null when there is no record, or one that is not whole.</returns>
    public LogPlace? Read()
    {
        var record = new byte[Length + 1];
        return RandomAccess.Read(_file, record, 0) == Length ? Parse(record.AsSpan(0, Length)) : null;
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

    public static byte[] Format(LogPlace place)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{Kind} {place.Since:D19} {place.First:D19} {place.AtOrAfter:D19} {place.Before:D19} {place.Newest:D19}");
        var record = Encoding.ASCII.GetBytes($"{text} {Sum(Encoding.ASCII.GetBytes(text))}".PadRight(Length - 1) + "\n");
        return record.Length == Length ? record : throw new InvalidOperationException("The record has another length.");
    }

    internal static LogPlace? Parse(ReadOnlySpan<byte> record)
    {
        var parts = Encoding.ASCII.GetString(record).TrimEnd().Split(' ');
        if (parts is not [Kind, var since, var first, var atOrAfter, var before, var newest, var sum] ||
            sum != Sum(Encoding.ASCII.GetBytes(string.Join(' ', parts[..^1]))))
        {
            return null;
        }
        return new LogPlace(Number(since), Number(first), Number(atOrAfter), Number(before), Number(newest));
    }

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Sum(byte[] text) => Convert.ToHexStringLower(XxHash3.Hash(text));
}
