using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Names as other engines want them, made of ours.</summary>
internal static class Names
{
    /// <summary>Room is left for what is put behind it: a label of Kubernetes has 63 characters.</summary>
    private const int LongestLabel = 50;

    /// <summary>Of a target group.</summary>
    private const int LongestTargetGroup = 32;

    /// <summary>Letters, digits, <c>_</c> and <c>-</c>, as ECS has it.</summary>
    public static string Ecs(string name) => name.Replace('.', '-');

    /// <summary>Letters, digits and <c>-</c>, which is not at an end, as Elastic Load Balancing has it.</summary>
    public static string TargetGroup(string name) => Cut(string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), LongestTargetGroup);

    /// <summary>A DNS label that begins with a letter: what a Service of Kubernetes may be called.</summary>
    public static string Label(string name)
    {
        var label = Cut(string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')), LongestLabel);
        return label.Length > 0 && char.IsAsciiLetter(label[0]) ? label : Cut($"app-{label}", LongestLabel);
    }

    /// <summary>A folder for each place of this machine that a volume comes from, called like its last part; volumes of the same place share it.</summary>
    public static IReadOnlyDictionary<string, string> Folders(IReadOnlyList<VolumeConfig> volumes)
    {
        var folders = new Dictionary<string, string>();
        foreach (var host in volumes.Select(volume => volume.Host).Distinct())
        {
            var last = host.TrimEnd('/').Split('/')[^1];
            var name = Cut(string.Concat(last.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-')), LongestLabel) is { Length: > 0 } plain ? plain : "data";
            folders[host] = Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? name : $"{name}-{i}").First(free => !folders.ContainsValue(free));
        }
        return folders;
    }

    private static string Cut(string name, int most)
    {
        var trimmed = name.Trim('-');
        return trimmed.Length <= most ? trimmed : trimmed[..most].TrimEnd('-');
    }
}
