using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Tls;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>States and their parts.</summary>
internal static partial class Sample
{
    public const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    public const string NewerDigest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    public static readonly Policy DefaultPolicy = new() { ConfigFingerprint = "config" };
    public static readonly ImageName CurrentImage = new("registry/app", Digest);
    public static readonly Problem AnyProblem = new(new ProblemKind("trouble"), "It went wrong.", "Do this.");

    public static readonly Resolution CurrentResolution = new("registry/app:latest", CurrentImage, Digest);
    public static readonly SecretVersions CurrentSecrets = new("secrets", ["KEY (version 3 of parameter /key)"], []);

    /// <summary>The engine answered, and no container of ours exists.</summary>
    public static readonly AgentState StateWithoutContainer = new()
    {
        Front = new ContainerState.Absent(),
        Engine = Loaded(new Inventory(ImmutableArray<Container>.Empty, "29.0.0 (API 1.44)")),
    };

    /// <summary>A clock that stands still.</summary>
    public static AgentClock Clock { get; } = new(new FakeTimeProvider());

    /// <summary>Sessions that can't be read, and so are in use.</summary>
    public static OpenSessions OpaqueSessions(int count) => new(count, []);

    /// <summary>The first boot of the machine, begun 5 seconds ago.</summary>
    public static BootTimeline FirstBoot(IBootStore? boots = null) =>
        new("boot-1", TimeSpan.FromSeconds(5), boots ?? new EmptyBootHistory(), TimeProvider.System);

    /// <summary>The watch of a configuration without HTTPS.</summary>
    public static CertificateWatch DisabledCertificateWatch(StateFeed feed, AgentClock clock) =>
        new(new AgentConfig { Image = "app" }, feed, clock, NullLogger<CertificateWatch>.Instance);

    public static Container Container(int? port = 32768, string release = "release-1", string digest = Digest) => new(
        "0123456789abcdef0123456789abcdef", "ragstream", new ImageName("registry/app", digest), release, "config", ContainerStatus.Running, "2026-01-01T00:00:00Z", port, null);

    public static ContainerState.Serving Serving(int? port = 32768, int failures = 0, string? fault = null) =>
        new(Container(port), Moment.Zero, failures, new ProbeSchedule(Moment.Zero, null), fault);

    public static Fetched<T> Loaded<T>(T value)
        where T : class => new(value, Moment.Zero, new FetchState.Idle());

    public static Fetched<T> Loading<T>(T? value = null)
        where T : class => new(value, null, new FetchState.Running(0, Moment.Zero, false, null));

    public static Fetched<T> LoadFailed<T>(Problem problem, T? value = null, int failures = 1)
        where T : class => new(value, null, new FetchState.Waiting(failures, problem, Moment.Zero + TimeSpan.FromSeconds(30)));

    private sealed class EmptyBootHistory : IBootStore
    {
        public IReadOnlyList<BootRecord> Read() => [];

        public void Write(IReadOnlyList<BootRecord> boots)
        {
        }
    }
}
