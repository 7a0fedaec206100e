using LocalAws;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Images;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>The image services as the agent composes them, but with a fixed registry login.</summary>
internal sealed class ImageStack : IDisposable
{
    private readonly EngineConnection _connection;
    private readonly RegistryClient _registry = new(TimeProvider.System);

    public ImageStack(Uri engine, LocalAwsServer aws, string name, TimeProvider silence)
    {
        var config = new AgentConfig { Image = "ragstream-web", Container = new ContainerConfig { Name = name } };
        _connection = new EngineConnection(engine, TimeProvider.System);
        Engine = new EngineImages(_connection);
        var disk = new EngineDisk(_connection);
        Store = new ImageStore(config, new FixedLogin(aws), _registry, new EnginePull(_connection, silence), Engine, disk,
            new ImageRepair(config, Engine, disk, NullLogger<ImageRepair>.Instance),
            new Retention(Engine, disk, NullLogger<Retention>.Instance));
    }

    public ImageStore Store { get; }

    public EngineImages Engine { get; }

    public List<PullProgress> Progress { get; } = [];

    public Task<FetchedImage> EnsureAsync(Resolution resolution, bool pullAgain = false, CancellationToken? stopping = null) =>
        Store.FetchAsync(resolution, pullAgain, Progress.Add, stopping ?? TestContext.Current.CancellationToken);

    public void Dispose()
    {
        _registry.Dispose();
        _connection.Dispose();
    }

    private sealed class FixedLogin(LocalAwsServer aws) : IRegistryAuthenticator
    {
        public bool Handles(string host) => true;

        public Task<RegistryLogin> AuthenticateAsync(string? host, bool refresh, CancellationToken stopping) =>
            Task.FromResult(new RegistryLogin(
                aws.RegistryHost, aws.RegistryEndpoint, aws.DockerLogin.User, new SecretValue(aws.DockerLogin.Password)));
    }
}
