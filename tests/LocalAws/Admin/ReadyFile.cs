using System.Text.Json;

namespace LocalAws.Admin;

/// <summary>What a script must know of a LocalAws that runs.</summary>
/// <param name="ApiEndpoint"></param>
/// <param name="RegistryHost"></param>
/// <param name="Region"></param>
/// <param name="AccountId"></param>
/// <param name="Environment">Variables that point an AWS client here.</param>
/// <param name="DockerUser"></param>
/// <param name="DockerPasswordFile">Readable by this user only; for <c>docker login --password-stdin</c>.</param>
/// <param name="ProcessId"></param>
public sealed record ReadyFile(
    string ApiEndpoint, string RegistryHost, string Region, string AccountId, IReadOnlyDictionary<string, string> Environment,
    string DockerUser, string DockerPasswordFile, int ProcessId)
{
    /// <summary>Whoever sees the file sees all of it.</summary>
    public void WriteTo(string path)
    {
        var part = path + ".part";
        File.WriteAllText(part, JsonSerializer.Serialize(this, AdminJson.Default.ReadyFile));
        File.Move(part, path, overwrite: true);
    }

    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="JsonException">It is none of ours.</exception>
    public static ReadyFile Read(string path) =>
        JsonSerializer.Deserialize(File.ReadAllText(path), AdminJson.Default.ReadyFile)
        ?? throw new JsonException($"{path} has no ready file in it, only 'null'.");
}
