using System.Runtime.InteropServices;
using System.Text;

namespace RagAgent.Configuration;

/// <summary>What a path leads to. Asked before a file is opened: the open of a pipe waits for a writer, and a device may never end.</summary>
internal static class FileKind
{
    public const int Regular = 0x8000;
    private const int Socket = 0xC000, BlockDevice = 0x6000, CharacterDevice = 0x2000, Pipe = 0x1000;

    private const int Mask = 0xF000;
    private const int AtWorkingDirectory = -100;   // AT_FDCWD
    private const uint TypeMask = 1;   // STATX_TYPE
    private const int StatxSize = 256, ModeOffset = 28;   // of struct statx, which is the same on every kind of machine

    /// <returns>Null when it can't be told: opening it will say why.</returns>
    public static int? Detect(string path)
    {
        var buffer = new byte[StatxSize];
        return Statx(AtWorkingDirectory, Encoding.UTF8.GetBytes(path + '\0'), 0, TypeMask, buffer) == 0 ? BitConverter.ToUInt16(buffer, ModeOffset) & Mask : null;
    }

    public static string Describe(int kind) => kind switch
    {
        Pipe => "a pipe",
        Socket => "a socket",
        BlockDevice or CharacterDevice => "a device",
        _ => "something else",
    };

    // The framework knows folders and links only.
    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int folder, byte[] path, int flags, uint wanted, byte[] buffer);
}
