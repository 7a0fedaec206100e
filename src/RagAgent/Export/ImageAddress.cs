using RagAgent.Configuration;
using RagAgent.Images;

namespace RagAgent.Export;

/// <summary>The image with its registry's name, which on an instance comes from the instance.</summary>
internal static class ImageAddress
{
    /// <summary>The region that was given, else the configuration's, else a mark.</summary>
    public static string Region(AgentConfig config, AwsPlace place, Notes notes) =>
        notes.Given(place.Region ?? config.Aws.Region, "region", "The region, like eu-central-1.", "--region");

    public static string Account(AwsPlace place, Notes notes) => notes.Given(place.Account, "account", "The account's twelve digits.", "--account");

    /// <summary>As other engines take it: registry, repository, and the digest or else the tag.</summary>
    public static string Of(AgentConfig config, AwsPlace place, Notes notes)
    {
        var image = ImageReference.Parse(config.Image);
        var what = image.Digest is { } digest ? $"@{digest}" : $":{image.Tag}";
        if (image.Host is { } host)
        {
            return $"{host}/{image.Path}{what}";
        }
        var region = Region(config, place, notes);
        return $"{Account(place, notes)}.dkr.ecr.{region}.{(Partition(region) == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com")}/{image.Path}{what}";
    }

    public static bool IsPinned(AgentConfig config) => ImageReference.Parse(config.Image).Digest is not null;

    /// <summary>What ARNs of a region begin with, behind <c>arn:</c>.</summary>
    public static string Partition(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn" : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov" : "aws";
}

/// <summary>What the instance knows by itself and a file does not; null: not given.</summary>
internal sealed record AwsPlace(string? Region = null, string? Account = null);
