using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.Images;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;

namespace RagAgent.IntegrationTests.Images;

/// <summary>Tests of RagAgent.Images alone, on a real engine and LocalAws's registry.</summary>
public abstract class ImageTestBase(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    internal Uri SharedEngine => new(Docker.Host);

    /// <param name="engine">The URI of the engine's socket.</param>
    /// <param name="silence">The clock that measures how long a pull is silent.</param>
    internal ImageStack CreateImageStack(Uri engine, TimeProvider? silence = null) =>
        new(engine, Aws, Name, silence ?? TimeProvider.System);

    /// <summary>Pushes a version and resolves its tag.</summary>
    internal async Task<Resolution> PushAndResolveAsync(string version = "1", params string[] more)
    {
        await PushAsync(version, "latest", more);
        return await ResolveAsync();
    }

    /// <summary>Pushes the previous image plus one small layer.</summary>
    internal Task<Resolution> PushLayerAsync(string content) =>
        PushFromAsync($"FROM {Repository}:latest", file => file.Write(Encoding.UTF8.GetBytes(content)));

    internal async Task<Resolution> PushFromAsync(string from, Action<FileStream> write)
    {
        var context = Directory.CreateDirectory(Path.Combine(Folder, "context")).FullName;
        await using (var file = File.Create(Path.Combine(context, "file")))
        {
            write(file);
        }
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), $"{from}\nCOPY file /file\n", TestCancellation);
        await BuildAndPushAsync(context);
        return await ResolveAsync();
    }

    /// <summary>The hex digest of the lowest layer of <c>latest</c>. The engine shows its first twelve characters.</summary>
    internal async Task<string> LowestLayerAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Aws.RegistryEndpoint, "/v2/ragstream-web/manifests/latest"));
        var (user, password) = Aws.DockerLogin;
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        request.Headers.Accept.ParseAdd(MediaTypes.DockerManifest);
        using var response = await Http.SendAsync(request, TestCancellation);
        var manifest = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestCancellation))!;
        return ((string)manifest["layers"]![0]!["digest"]!)["sha256:".Length..];
    }

    private async Task<Resolution> ResolveAsync()
    {
        using var imageStack = CreateImageStack(SharedEngine);
        return await imageStack.Store.ResolveAsync(TestCancellation);
    }
}
