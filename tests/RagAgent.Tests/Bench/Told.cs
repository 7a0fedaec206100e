using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Tls;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Bench;

/// <summary>States and what they consist of, by short names.</summary>
internal static class Told
{
    public const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    public const string NewerDigest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    public static readonly Policy Policy = new() { ConfigFingerprint = "config" };
    public static readonly ImageName Image = new("registry/app", Digest);
    public static readonly Problem Trouble = new("trouble", "It went wrong.", "Do this.");

    public static readonly Resolution Resolution = new("registry/app:latest", Image, Digest);
    public static readonly SecretVersions Secrets = new("secrets", ["KEY (version 3 of parameter /key)"], []);

    /// <summary>The engine answered, nothing of ours runs.</summary>
    public static readonly AgentState Idle = new()
    {
        Front = new ContainerState.Absent(),
        Engine = Known(new Inventory(ImmutableArray<Container>.Empty, "29.0.0 (API 1.44)")),
    };

    /// <summary>A boot that began 5 seconds ago, the first one of the machine.</summary>
    public static BootTimeline Boot(IBootStore? boots = null) => new("boot-1", TimeSpan.FromSeconds(5), boots ?? new NoBoots(), TimeProvider.System);

    /// <summary>Of a configuration without HTTPS.</summary>
    public static CertificateWatch NoCertificates(StateFeed feed, AgentClock clock) => new(new AgentConfig { Image = "app" }, feed, clock, NullLogger<CertificateWatch>.Instance);

    public static Container Container(int? port = 32768, string release = "release-1", string digest = Digest) => new(
        "0123456789abcdef0123456789abcdef", "ragstream", new ImageName("registry/app", digest), release, "config", ContainerStatus.Running, "2026-01-01T00:00:00Z", port, null);

    public static ContainerState.Serving Serving(int? port = 32768, int failures = 0, string? fault = null) =>
        new(Container(port), Moment.Zero, failures, new ProbeSchedule(Moment.Zero, null), fault);

    public static Fetched<T> Known<T>(T value)
        where T : class => new(value, Moment.Zero, new FetchState.Idle());

    public static Fetched<T> Running<T>(T? value = null)
        where T : class => new(value, null, new FetchState.Running(0, Moment.Zero, false, null));

    public static Fetched<T> Failing<T>(Problem problem, T? value = null, int failures = 1)
        where T : class => new(value, null, new FetchState.Waiting(failures, problem, Moment.Zero + TimeSpan.FromSeconds(30)));

    private sealed class NoBoots : IBootStore
    {
        public IReadOnlyList<BootRecord> Read() => [];

        public void Write(IReadOnlyList<BootRecord> boots)
        {
        }
    }
}
