using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>Images: ids 400-499.</summary>
internal static partial class Log
{
    [LoggerMessage(400, LogLevel.Warning, "The image {Image}, which is no longer needed, could not be removed. {Problem}",
        EventName = "ImageStays")]
    public static partial void ImageNotRemoved(this ILogger logger, string image, Problem problem);

    [LoggerMessage(401, LogLevel.Warning, "The image {Image} is broken on disk; it is removed, and pulled when it is needed.",
        EventName = "BrokenImageGoes")]
    public static partial void RemovingCorruptImage(this ILogger logger, string image);
}
