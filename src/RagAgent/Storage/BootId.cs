namespace RagAgent.Storage;

/// <summary>Tells one life of the machine from the next.</summary>
internal static class BootId
{
    public const string KernelPath = "/proc/sys/kernel/random/boot_id";

    /// <returns>Null when the kernel does not tell.</returns>
    public static string? Read(string file)
    {
        try
        {
            return System.IO.File.ReadAllText(file).Trim() is { Length: > 0 } id ? id : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
