using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The rules between the paths of several secrets, and between them and the container.</summary>
internal sealed class SecretFileRules(ContainerConfig container)
{
    private readonly Dictionary<string, (string Key, int Line)> _files = new(StringComparer.Ordinal);
    private (string Folder, string Key, int Line)? _first;

    /// <param name="key">The secret's dotted key.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="section">The secret's section, which gets the errors.</param>
    /// <param name="line">The secret's line.</param>
    public void Check(string key, SecretConfig secret, ConfigSection section, int line)
    {
        if (secret.Path is not { } path || !section.AreValid("path"))
        {
            return;
        }

        if (secret.Delivery == SecretDelivery.Environment)
        {
            section.AddError("delivery", "must be \"memory\" for a secret with a path: the engine writes an environment to disk");
        }

        var folder = SecretPath.FolderOf(path);
        _first ??= (folder, key, line);
        if (_first.Value is var first && first.Folder != folder)
        {
            section.AddError("path", $"must be in the same folder as {first.Key}.path (line {first.Line}): one folder lies in memory");
        }

        if (!_files.TryAdd(path, (key, line)))
        {
            section.AddError("path", $"is already the path of {_files[path].Key} (line {_files[path].Line}); each file holds one secret");
        }

        if (container.StreamlitSecrets && path == $"{folder}/{SecretPath.StreamlitFileName}")
        {
            section.AddError("path", "is the file that container.streamlitSecrets writes; choose another name");
        }

        if (container.Volumes.FirstOrDefault(volume => SecretPath.Overlaps(volume.Container, folder)) is { } volume)
        {
            section.AddError(
                "path",
                $"must not share a folder with the volume {Quoting.Value(volume.Container)}; choose another folder");
        }
    }
}
