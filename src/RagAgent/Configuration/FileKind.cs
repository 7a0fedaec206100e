using System.Runtime.InteropServices;
using System.Text;

namespace RagAgent.Configuration;

/// <summary>What a path leads to.</summary>
internal enum FileKind
{
    Regular,
    Pipe,
    Socket,
    Device,

    /// <summary>Such as a folder, which callers tell apart by other means.</summary>
    Other,
}

/// <summary>Looks at a path without opening it: opening a pipe waits for a writer, and a device may never end.</summary>
internal static class FileKindExtensions
{
    // The values of S_IFMT and of <linux/stat.h>, which are the same on every architecture.
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int SocketFile = 0xC000;
    private const int BlockDevice = 0x6000;
    private const int CharacterDevice = 0x2000;
    private const int PipeFile = 0x1000;
    private const int AtWorkingDirectory = -100;   // AT_FDCWD
    private const uint WantsType = 1;   // STATX_TYPE
    private const int StatxSize = 256;
    private const int ModeOffset = 28;

    extension(FileKind)
    {
        /// <returns>Null if the path can't be examined. Opening it will say why.</returns>
        public static FileKind? Detect(string path)
        {
            var buffer = new byte[StatxSize];
            if (Statx(AtWorkingDirectory, Encoding.UTF8.GetBytes(path + '\0'), 0, WantsType, buffer) != 0)
            {
                return null;
            }

            return (BitConverter.ToUInt16(buffer, ModeOffset) & TypeMask) switch
            {
                RegularFile => FileKind.Regular,
                PipeFile => FileKind.Pipe,
                SocketFile => FileKind.Socket,
                BlockDevice or CharacterDevice => FileKind.Device,
                _ => FileKind.Other,
            };
        }

        public static string Describe(FileKind kind) => kind switch
        {
            FileKind.Regular => "a file",
            FileKind.Pipe => "a pipe",
            FileKind.Socket => "a socket",
            FileKind.Device => "a device",
            _ => "something else",
        };
    }

    // The framework can only tell folders and links apart.
    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int folder, byte[] path, int flags, uint wanted, byte[] buffer);
}
