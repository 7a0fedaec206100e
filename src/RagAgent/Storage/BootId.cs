namespace RagAgent.Storage;

/// <summary>Identifies this boot of the machine.</summary>
internal static class BootId
{
    public const string KernelPath = "/proc/sys/kernel/random/boot_id";

    /// <returns>Null if the kernel does not provide it.</returns>
    public static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } id ? id : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
