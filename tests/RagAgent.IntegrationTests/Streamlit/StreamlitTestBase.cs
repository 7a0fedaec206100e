using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>A test with real Streamlit in images that Dockerfile.streamlit built.</summary>
public abstract class StreamlitTestBase(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    /// <summary>What a registry stores of the layers. All tests share it by links, or each would compress and push 600 MB again.</summary>
    private static readonly string[] Stored = ["docker/registry/v2/blobs", "docker/registry/v2/repositories/ragstream-web/_layers"];

    /// <summary>
    /// One build at a time: the second one finds the layers. Not <see cref="EngineFixture.ImageLock"/>, for a first build takes long, and
    /// build.sh keeps its layers alive itself.
    /// </summary>
    private static readonly SemaphoreSlim BuildLock = new(1);

    private string SharedStorage => Path.Combine(Path.GetDirectoryName(new Uri(Docker.Host).LocalPath)!, "streamlit");

    private string RegistryStorage => Path.Combine(Folder, "aws");

    /// <summary>Probes an app as the default configuration does, which the light fake app can't answer.</summary>
    protected void ConfigureStreamlit() => Config["health"]!["gate"] = new JsonObject();

    /// <summary>
    /// Builds an app of <see cref="StreamlitApps"/> with a version of <see cref="StreamlitInstallation"/>.
    /// Skips the test if Streamlit can't be installed on this machine.
    /// </summary>
    protected Task BuildStreamlitAsync(string version, string app, string reference) =>
        WithBuildLockAsync(async () => (await BuildAsync(version, app, reference)).AssertSucceeded());

    /// <summary>
    /// Builds an app and pushes it, as CI does. The local image is removed, so that the agent must pull.
    /// Skips the test if Streamlit can't be installed on this machine.
    /// </summary>
    protected Task PushStreamlitAsync(string version, string app, string tag = "latest") => WithBuildLockAsync(async () =>
    {
        var reference = $"{Repository}:{tag}";
        await LinkAsync(SharedStorage, RegistryStorage);
        await LogInAsync();
        await PushAsync(reference, () => BuildAsync(version, app, reference));
        await LinkAsync(RegistryStorage, SharedStorage);
    });

    private Task<ProcessResult> BuildAsync(string version, string app, string reference) => StreamlitInstallation.RunScriptAsync(
        "build.sh", "--engine", Docker.Host, "--tag", reference, "--version", version, "--app", app);

    private static async Task WithBuildLockAsync(Func<Task> action)
    {
        await BuildLock.WaitAsync(TestCancellation);
        try
        {
            await action();
        }
        finally
        {
            BuildLock.Release();
        }
    }

    private static async Task LinkAsync(string from, string to)
    {
        foreach (var folder in Stored.Where(stored => Directory.Exists(Path.Combine(from, stored))))
        {
            Directory.CreateDirectory(Path.Combine(to, folder));
            string[] arguments = ["--archive", "--link", "--update", Path.Combine(from, folder, "."), Path.Combine(to, folder)];
            (await ProcessRunner.RunAsync("cp", arguments)).AssertSucceeded();
        }
    }
}
