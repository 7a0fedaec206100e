using System.Text.Json;

namespace LocalAws.Admin;

/// <summary>What a script must know about a running LocalAws.</summary>
/// <param name="ApiEndpoint">The address of all APIs.</param>
/// <param name="RegistryHost">The registry in an image's name.</param>
/// <param name="Region">The region of all services.</param>
/// <param name="AccountId">Twelve digits.</param>
/// <param name="Environment">Variables that point an AWS client here.</param>
/// <param name="DockerUser">The user for <c>docker login</c>.</param>
/// <param name="DockerPasswordFile">For <c>docker login --password-stdin</c>. Only this user can read it.</param>
/// <param name="ProcessId">The process that serves.</param>
public sealed record ReadyFile(
    string ApiEndpoint, string RegistryHost, string Region, string AccountId, IReadOnlyDictionary<string, string> Environment,
    string DockerUser, string DockerPasswordFile, int ProcessId)
{
    /// <summary>Writes the file atomically, so that no reader sees a part of it.</summary>
    public void WriteTo(string path)
    {
        var part = path + ".part";
        File.WriteAllText(part, JsonSerializer.Serialize(this, AdminJson.Default.ReadyFile));
        File.Move(part, path, overwrite: true);
    }

    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="JsonException">The file is not a ready file.</exception>
    public static ReadyFile Read(string path) =>
        JsonSerializer.Deserialize(File.ReadAllText(path), AdminJson.Default.ReadyFile)
        ?? throw new JsonException($"{path} contains 'null' instead of a ready file.");
}
