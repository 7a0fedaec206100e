using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Translates names into ones that other platforms accept.</summary>
internal static class ResourceNames
{
    /// <summary>Kubernetes allows 63 characters. The rest is for suffixes.</summary>
    private const int MaxLabelLength = 50;

    private const int MaxTargetGroupLength = 32;

    /// <summary>Letters, digits, <c>_</c> and <c>-</c>.</summary>
    public static string ForEcs(string name) => name.Replace('.', '-');

    /// <summary>Letters, digits and <c>-</c>, which is neither first nor last.</summary>
    public static string ForTargetGroup(string name) =>
        Truncate(string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), MaxTargetGroupLength);

    /// <summary>A DNS label that begins with a letter, as Services require.</summary>
    public static string ForKubernetes(string name)
    {
        var label = Truncate(string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), MaxLabelLength);
        return label.Length > 0 && char.IsAsciiLetter(label[0]) ? label : Truncate($"app-{label}", MaxLabelLength);
    }

    /// <summary>A unique folder name for each host path of the volumes, derived from its last part.</summary>
    public static IReadOnlyDictionary<string, string> FolderNames(IReadOnlyList<VolumeConfig> volumes)
    {
        var folders = new Dictionary<string, string>();
        foreach (var host in volumes.Select(volume => volume.Host).Distinct())
        {
            var last = host.TrimEnd('/').Split('/')[^1];
            var plain = string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-'));
            var label = Truncate(plain, MaxLabelLength);
            var name = label.Length > 0 ? label : "data";
            folders[host] = Enumerable.Range(1, int.MaxValue)
                .Select(number => number == 1 ? name : $"{name}-{number}")
                .First(candidate => !folders.ContainsValue(candidate));
        }
        return folders;
    }

    private static string Truncate(string name, int maxLength)
    {
        var trimmed = name.Trim('-');
        return trimmed.Length <= maxLength ? trimmed : trimmed[..maxLength].TrimEnd('-');
    }
}
