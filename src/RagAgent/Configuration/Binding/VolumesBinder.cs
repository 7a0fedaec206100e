using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The list <c>container.volumes</c>.</summary>
internal static class VolumesBinder
{
    private const string DataFolder = "/app/data";
    private const string HidesDataMessage =
        "would hide the agent files that the image ships in /app/data/agents; mount its subfolders one by one: "
        + "/app/data/doc_raw, /app/data/chroma_db, /app/data/splade_db, /app/data/memory, /app/data/logs";

    public static IReadOnlyList<VolumeConfig> Bind(ConfigSection container, ConfigErrors errors)
    {
        var volumes = new List<VolumeConfig>();
        var targets = new Dictionary<string, (string Path, int Line)>(StringComparer.Ordinal);
        foreach ((var path, var node) in container.Items("volumes"))
        {
            if (node is not ObjectNode entry)
            {
                errors.Add(
                    node.Position,
                    path,
                    ErrorMessages.WrongType("an object like { \"host\": \"/srv/logs\", \"container\": \"/app/data/logs\" }", node));
                continue;
            }

            var section = new ConfigSection(entry, path, KnownKeys.Volume, errors);
            var volume = BindVolume(section);
            volumes.Add(volume);
            if (!section.Has("container") || !section.AreValid("container"))
            {
                continue;
            }

            if (targets.TryAdd(volume.Container, (path, entry.Position.Line)))
            {
                continue;
            }

            var (otherPath, line) = targets[volume.Container];
            section.AddError(
                "container",
                $"{Quoting.Value(volume.Container)} is already used by {otherPath} (line {line}); each folder in the container can hold one volume");
        }

        return volumes;
    }

    private static VolumeConfig BindVolume(ConfigSection section)
    {
        if (!section.Has("host"))
        {
            section.AddError(
                "host",
                "is missing; set a folder on this machine, like \"/var/lib/ragstream/logs\", or the name of a Docker volume");
        }

        if (!section.Has("container"))
        {
            section.AddError("container", "is missing; set the folder in the container, like \"/app/data/logs\"");
        }

        var host = section.Read(
            "host",
            "",
            ValueParsers.String("a path like \"/var/lib/ragstream/logs\" or the name of a Docker volume", ValidateHost));
        var containerPath = section.Read("container", "", ValueParsers.String("a path like \"/app/data/logs\"", PathRules.ValidateMountable));
        if (section.Has("container") && section.AreValid("container") && HidesData(PathRules.Normalize(containerPath)))
        {
            section.AddError("container", $"{Quoting.Value(containerPath)} {HidesDataMessage}");
        }

        return new VolumeConfig(
            host.StartsWith('/') ? PathRules.Normalize(host) : host,
            PathRules.Normalize(containerPath),
            section.Read<bool>("readOnly", false, ValueParsers.Boolean));
    }

    private static bool HidesData(string path) => path == DataFolder || DataFolder.StartsWith(path + "/", StringComparison.Ordinal);

    private static RuleViolation? ValidateHost(string host)
    {
        if (host.StartsWith('/'))
        {
            return PathRules.ValidateMountable(host);
        }

        return NameRules.IsEngineName(host) ? null : new("be an absolute path, beginning with '/', or the name of a Docker volume");
    }
}
