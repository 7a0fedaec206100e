using System.Net;
using System.Security.Cryptography.X509Certificates;
using LocalAws.Metadata;

namespace LocalAws;

/// <summary>Options of a <see cref="LocalAwsServer"/>.</summary>
public sealed record LocalAwsOptions
{
    /// <summary>Where the registry stores images. Created if missing, never removed.</summary>
    public required string StorageDirectory { get; init; }

    public string Region { get; init; } = "eu-central-1";

    /// <summary>Twelve digits.</summary>
    public string AccountId { get; init; } = "123456789012";

    public InstanceInfo Instance { get; init; } = new();

    /// <summary>Secrets by access key ID, for callers without an instance role. They belong to the user "static".</summary>
    public IReadOnlyDictionary<string, string> StaticKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>0 for any free port.</summary>
    public int ApiPort { get; init; }

    /// <summary>0 for any free port.</summary>
    public int RegistryPort { get; init; }

    /// <summary>
    /// Whether a request for a blob is redirected to another host (307), as ECR does. Otherwise the registry sends the bytes.
    /// </summary>
    public bool RedirectBlobs { get; init; } = true;

    /// <summary>Whether a push creates its repository. Otherwise it is refused, as by ECR without a creation template.</summary>
    public bool CreateRepositoryOnPush { get; init; } = true;

    /// <summary>The registry that GetAuthorizationToken names; null for the registry listener's own address.</summary>
    public string? ProxyEndpoint { get; init; }

    /// <summary>With its private key. If set, the API also answers over TLS on its own port, for clients that require https.</summary>
    public X509Certificate2? TlsCertificate { get; init; }

    /// <summary>
    /// If set, port 443 of this address also serves Parameter Store, ECR, the registry and its storage under their real names
    /// (<see cref="AwsHostNames"/>), and 169.254.169.254:80 serves the metadata service. Needs <see cref="TlsCertificate"/> and a network
    /// namespace in which nothing else uses these addresses.
    /// </summary>
    public IPAddress? AwsHostNamesAddress { get; init; }

    /// <summary>A path, or a name that is looked up on PATH.</summary>
    public string RegistryProgram { get; init; } = "docker-registry";

    /// <summary>The clock for expiry, signature age and the pace of slow responses.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
