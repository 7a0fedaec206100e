using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Names as other engines want them, made of ours.</summary>
internal static class ResourceNames
{
    /// <summary>Room is left for what is put behind it: a label of Kubernetes has 63 characters.</summary>
    private const int MaxLabelLength = 50;

    /// <summary>Of a target group.</summary>
    private const int MaxTargetGroupLength = 32;

    /// <summary>Letters, digits, <c>_</c> and <c>-</c>, as ECS has it.</summary>
    public static string ForEcs(string name) => name.Replace('.', '-');

    /// <summary>Letters, digits and <c>-</c>, which is not at an end, as Elastic Load Balancing has it.</summary>
    public static string ForTargetGroup(string name) => Truncate(string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), MaxTargetGroupLength);

    /// <summary>A DNS label that begins with a letter: what a Service of Kubernetes may be called.</summary>
    public static string ForKubernetes(string name)
    {
        var label = Truncate(string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), MaxLabelLength);
        return label.Length > 0 && char.IsAsciiLetter(label[0]) ? label : Truncate($"app-{label}", MaxLabelLength);
    }

    /// <summary>A folder for each place of this machine that a volume comes from, called like its last part; volumes of the same place share it.</summary>
    public static IReadOnlyDictionary<string, string> FolderNames(IReadOnlyList<VolumeConfig> volumes)
    {
        var folders = new Dictionary<string, string>();
        foreach (var host in volumes.Select(volume => volume.Host).Distinct())
        {
            var last = host.TrimEnd('/').Split('/')[^1];
            var name = Truncate(string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-')), MaxLabelLength) is { Length: > 0 } plain ? plain : "data";
            folders[host] = Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? name : $"{name}-{i}").First(candidate => !folders.ContainsValue(candidate));
        }
        return folders;
    }

    private static string Truncate(string name, int maxLength)
    {
        var trimmed = name.Trim('-');
        return trimmed.Length <= maxLength ? trimmed : trimmed[..maxLength].TrimEnd('-');
    }
}
