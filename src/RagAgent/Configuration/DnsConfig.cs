namespace RagAgent.Configuration;

/// <summary>What happens to the DNS records when the machine shuts down.</summary>
public enum DnsOnStop
{
    /// <summary>They keep pointing at an address that AWS may give to another machine.</summary>
    Keep,

    /// <summary>Those that still hold this machine's addresses are deleted.</summary>
    Delete,
}

/// <summary>The DNS name that the agent points at this machine.</summary>
internal sealed record DnsConfig
{
    /// <summary>The ID of the Route 53 hosted zone, without <c>/hostedzone/</c>.</summary>
    public required string Zone { get; init; }

    /// <summary>The host name in lower case, without a trailing dot.</summary>
    public required string Name { get; init; }

    /// <summary>How long resolvers may cache an address, in seconds.</summary>
    public int Ttl { get; init; } = 60;

    public DnsOnStop OnStop { get; init; } = DnsOnStop.Keep;
}
