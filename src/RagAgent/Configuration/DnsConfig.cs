namespace RagAgent.Configuration;

/// <summary>What becomes of the name when the machine is switched off.</summary>
public enum DnsOnStop
{
    /// <summary>It goes on pointing at an address that may be another machine's by then.</summary>
    Keep,

    /// <summary>Its records are deleted, as far as they still hold this machine's addresses.</summary>
    Delete,
}

/// <summary>The name that is pointed at this machine.</summary>
public sealed record DnsConfig
{
    /// <summary>The id of the Route 53 hosted zone, without <c>/hostedzone/</c>.</summary>
    public required string Zone { get; init; }

    /// <summary>A host name as it is compared: in small letters, without a dot at its end.</summary>
    public required string Name { get; init; }

    /// <summary>How long resolvers may remember an address; seconds, as DNS has it.</summary>
    public int Ttl { get; init; } = 60;

    public DnsOnStop OnStop { get; init; } = DnsOnStop.Keep;
}
