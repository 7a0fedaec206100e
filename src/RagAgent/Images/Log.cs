using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>Images: ids 400-499.</summary>
internal static partial class Log
{
    [LoggerMessage(400, LogLevel.Warning, "Could not remove the image {Image}, which is no longer needed. {Problem}",
        EventName = "ImageStays")]
    public static partial void ImageNotRemoved(this ILogger logger, string image, Problem problem);

    [LoggerMessage(401, LogLevel.Warning, "The image {Image} is corrupt on disk. Removing it; it is pulled again when needed.",
        EventName = "BrokenImageGoes")]
    public static partial void RemovingCorruptImage(this ILogger logger, string image);
}
