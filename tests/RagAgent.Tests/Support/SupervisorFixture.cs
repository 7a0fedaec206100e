using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>A real supervisor on an engine, a registry and secrets that never fail. It adopts the app on the port and serves it.</summary>
internal sealed class SupervisorFixture :
    IEngine, IImages, ISecrets, IProber, IPortInspector, IConnectionDrain, IStateStore, IInstanceControl, IAsyncDisposable
{
    private readonly Container _container;
    private int _probeCount;

    public SupervisorFixture(int port = 32768, TimeProvider? time = null)
    {
        _container = Sample.Container(
            port, new Release(Sample.CurrentImage, Sample.DefaultPolicy.ConfigFingerprint, Sample.CurrentSecrets.Fingerprint).Id);
        Clock = new AgentClock(time ?? TimeProvider.System);
        Supervisor = new Supervisor(
            Sample.DefaultPolicy,
            new EffectRunner(this, this, this, this, this, this, this, this, Sample.DefaultPolicy, Clock),
            this,
            Board,
            new StateChangeLog(NullLogger<Supervisor>.Instance, Sample.DefaultPolicy),
            Clock);
    }

    public StateFeed Board { get; } = new();
    public AgentClock Clock { get; }
    public Supervisor Supervisor { get; }

    /// <summary>How often the app was probed.</summary>
    public int ProbeCount => Volatile.Read(ref _probeCount);

    public async Task StartAsync(CancellationToken stopping)
    {
        await Supervisor.StartAsync(stopping);
        await WaitForAsync(state => state.Front is ContainerState.Serving && state.Image.Value is not null, stopping);
    }

    /// <summary>Waits until the state meets the condition.</summary>
    public async Task<AgentState> WaitForAsync(Func<AgentState, bool> condition, CancellationToken stopping)
    {
        var (revision, state) = Board.Read();
        while (!condition(state))
        {
            (revision, state) = await Board.WaitAsync(revision, stopping);
        }
        return state;
    }

    public Task<Inventory> InspectAsync(CancellationToken stopping) => Task.FromResult(new Inventory([_container], "29.0.0 (API 1.44)"));

    public Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping) => Task.FromResult(_container);

    public Task StopAsync(Container container, Container? heir, CancellationToken stopping) => Task.CompletedTask;

    public Task<Resolution> ResolveAsync(CancellationToken stopping) => Task.FromResult(Sample.CurrentResolution);

    public Task<FetchedImage> FetchAsync(Resolution resolution, bool replace, Action<PullProgress> progress, CancellationToken stopping) =>
        Task.FromResult(new FetchedImage(Sample.Digest, 0));

    public Task<ImageCleanupResult> CleanUpAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping) =>
        Task.FromResult(new ImageCleanupResult(0, 0));

    public Task<SecretVersions> ReadAsync(CancellationToken stopping) => Task.FromResult(Sample.CurrentSecrets);

    public Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, TimeSpan? sessionLimit, CancellationToken stopping)
    {
        Interlocked.Increment(ref _probeCount);
        return Task.FromResult<ProbeResult>(new ProbeResult.Passed());
    }

    public Task<ContainerPorts?> InspectPortsAsync(Container container, CancellationToken stopping) =>
        Task.FromResult<ContainerPorts?>(null);

    public Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping) => Task.FromResult(0);

    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) => Task.FromResult(0);

    public Task MoveSessionsAsync(Container container, CancellationToken stopping) => Task.CompletedTask;

    public Task<string> StopAsync(CancellationToken stopping) => Task.FromResult("i-0123456789abcdef0");

    public PersistedState? Load() => null;

    public Task SaveAsync(PersistedState memory, CancellationToken stopping) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Supervisor.StopAsync(CancellationToken.None);
        Supervisor.Dispose();
    }
}
