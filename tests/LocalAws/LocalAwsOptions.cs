using System.Net;
using System.Security.Cryptography.X509Certificates;
using LocalAws.Metadata;

namespace LocalAws;

/// <summary>How a <see cref="LocalAwsServer"/> is to be.</summary>
public sealed record LocalAwsOptions
{
    /// <summary>Where the registry keeps its images; made when it isn't there, never removed.</summary>
    public required string StorageDirectory { get; init; }

    public string Region { get; init; } = "eu-central-1";

    /// <summary>Twelve digits.</summary>
    public string AccountId { get; init; } = "123456789012";

    public InstanceInfo Instance { get; init; } = new();

    /// <summary>Secrets by access key id, for callers that sign without an instance role. They belong to the user "static".</summary>
    public IReadOnlyDictionary<string, string> StaticKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>0: a free one.</summary>
    public int ApiPort { get; init; }

    /// <summary>0: a free one.</summary>
    public int RegistryPort { get; init; }

    /// <summary>A blob answers 307 to another host, as ECR does. False: the registry itself sends the bytes.</summary>
    public bool RedirectBlobs { get; init; } = true;

    /// <summary>False: a push to a repository that wasn't created is refused, as ECR does without a creation template.</summary>
    public bool CreateRepositoryOnPush { get; init; } = true;

    /// <summary>What GetAuthorizationToken names as the registry; null: the registry listener's own address.</summary>
    public string? ProxyEndpoint { get; init; }

    /// <summary>With its private key. When given, the API is also spoken over TLS on a port of its own, for clients that know only https.</summary>
    public X509Certificate2? TlsCertificate { get; init; }

    /// <summary>
    /// AWS under its own names besides: port 443 of this address answers as Parameter Store, ECR, the registry or its storage, by the name that
    /// is asked for (<see cref="AwsHostNames"/>), and 169.254.169.254:80 is the metadata service. Needs <see cref="TlsCertificate"/>, and a network
    /// namespace in which these addresses are nobody else's.
    /// </summary>
    public IPAddress? AwsHostNamesAddress { get; init; }

    /// <summary>A name that is looked up on PATH, or a path.</summary>
    public string RegistryProgram { get; init; } = "docker-registry";

    /// <summary>Decides expiry, signature age, and the pace of slow answers.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
