namespace RagAgent.Configuration;

/// <summary>The list <c>container.volumes</c>.</summary>
internal static class VolumesBinder
{
    private const string DataFolder = "/app/data";
    private const string OverData =
        "would hide the agent files that the image ships in /app/data/agents; mount its sub-folders one by one: "
        + "/app/data/doc_raw, /app/data/chroma_db, /app/data/splade_db, /app/data/memory, /app/data/logs";

    public static IReadOnlyList<VolumeConfig> Bind(Section container, Findings findings)
    {
        var volumes = new List<VolumeConfig>();
        var taken = new Dictionary<string, (string Path, int Line)>(StringComparer.Ordinal);
        foreach ((string path, ConfigNode node) in container.Items("volumes"))
        {
            if (node is not ObjectNode entry)
            {
                findings.Add(node.At, path, Say.WrongType("an object like { \"host\": \"/srv/logs\", \"container\": \"/app/data/logs\" }", node));
                continue;
            }

            var section = new Section(entry, path, KnownKeys.Volume, findings);
            VolumeConfig volume = Volume(section);
            volumes.Add(volume);
            if (!section.Has("container") || !section.AreSound("container")) continue;
            if (taken.TryAdd(volume.Container, (path, entry.At.Line))) continue;
            (string otherPath, int line) = taken[volume.Container];
            section.Refuse("container", $"{Shown.Text(volume.Container)} is taken by {otherPath} (line {line}); a folder of the container holds one volume");
        }

        return volumes;
    }

    private static VolumeConfig Volume(Section section)
    {
        if (!section.Has("host"))
            section.Refuse("host", "is missing; give the folder on this machine, like \"/var/lib/ragstream/logs\", or an engine volume's name");
        if (!section.Has("container")) section.Refuse("container", "is missing; give the folder in the container, like \"/app/data/logs\"");
        string host = section.Read("host", "", Kinds.Text("a path like \"/var/lib/ragstream/logs\" or an engine volume's name", Host));
        string inside = section.Read("container", "", Kinds.Text("a path like \"/app/data/logs\"", PathRules.Mountable));
        if (section.Has("container") && section.AreSound("container") && Hides(PathRules.Clean(inside)))
            section.Refuse("container", $"{Shown.Text(inside)} {OverData}");
        return new VolumeConfig(
            host.StartsWith('/') ? PathRules.Clean(host) : host,
            PathRules.Clean(inside),
            section.Read<bool>("readOnly", false, Kinds.Flag));
    }

    private static bool Hides(string path) => path == DataFolder || DataFolder.StartsWith(path + "/", StringComparison.Ordinal);

    private static Refusal? Host(string host)
    {
        if (host.StartsWith('/')) return PathRules.Mountable(host);
        return NameRules.IsEngineName(host) ? null : new("be an absolute path, beginning with '/', or the name of an engine volume");
    }
}
