using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>The image with its registry's name, which on an instance comes from the instance.</summary>
internal static class ImageUri
{
    /// <summary>The region that was given, else the configuration's, else a mark.</summary>
    public static string RegionOrPlaceholder(AgentConfig config, AwsLocation location, ExportNotes notes) =>
        notes.ValueOrPlaceholder(location.Region ?? config.Aws.Region, "region", "The region, like eu-central-1.", "--region");

    public static string AccountOrPlaceholder(AwsLocation location, ExportNotes notes) => notes.ValueOrPlaceholder(location.Account, "account", "The account's twelve digits.", "--account");

    /// <summary>As other engines take it: registry, repository, and the digest or else the tag.</summary>
    public static string For(AgentConfig config, AwsLocation location, ExportNotes notes)
    {
        var image = ImageReference.Parse(config.Image);
        var suffix = image.Digest is { } digest ? $"@{digest}" : $":{image.Tag}";
        if (image.Host is { } host)
        {
            return $"{host}/{image.Path}{suffix}";
        }
        var region = RegionOrPlaceholder(config, location, notes);
        return $"{AccountOrPlaceholder(location, notes)}.dkr.ecr.{region}.{(Partition(region) == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com")}/{image.Path}{suffix}";
    }

    public static bool IsPinned(AgentConfig config) => ImageReference.Parse(config.Image).Digest is not null;

    /// <summary>What ARNs of a region begin with, behind <c>arn:</c>.</summary>
    public static string Partition(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";
}

/// <summary>What the instance knows by itself and a file does not; null: not given.</summary>
internal sealed record AwsLocation(string? Region = null, string? Account = null);
