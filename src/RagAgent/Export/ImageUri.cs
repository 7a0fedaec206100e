using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>The image with its registry, which the agent gets from the instance.</summary>
internal static class ImageUri
{
    /// <summary>The region of the option, else of the configuration, else a placeholder.</summary>
    public static string RegionOrPlaceholder(AgentConfig config, AwsLocation location, ExportNotes notes) =>
        notes.ValueOrPlaceholder(location.Region ?? config.Aws.Region, "region", "The region, like eu-central-1.", "--region");

    public static string AccountOrPlaceholder(AwsLocation location, ExportNotes notes) =>
        notes.ValueOrPlaceholder(location.Account, "account", "The account ID (twelve digits).", "--account");

    /// <summary>Registry, repository, and the digest, else the tag.</summary>
    public static string For(AgentConfig config, AwsLocation location, ExportNotes notes)
    {
        var image = ImageReference.Parse(config.Image);
        var suffix = image.Digest is { } digest ? $"@{digest}" : $":{image.Tag}";
        if (image.Host is { } host)
        {
            return $"{host}/{image.Path}{suffix}";
        }
        var region = RegionOrPlaceholder(config, location, notes);
        var account = AccountOrPlaceholder(location, notes);
        var domain = Partition(region) == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
        return $"{account}.dkr.ecr.{region}.{domain}/{image.Path}{suffix}";
    }

    public static bool IsPinned(AgentConfig config) => ImageReference.Parse(config.Image).Digest is not null;

    /// <summary>The partition in ARNs of a region.</summary>
    public static string Partition(string region)
    {
        if (region.StartsWith("cn-", StringComparison.Ordinal))
        {
            return "aws-cn";
        }
        return region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";
    }
}
