using System.Net;

namespace RagAgent.Configuration;

/// <summary>The file <c>/etc/ragagent.json</c>, validated: what stands here can be acted on without another check.</summary>
/// <remarks>Defaults stand beside their keys and nowhere else. <see cref="ConfigReader"/> is the only maker.</remarks>
public sealed record AgentConfig
{
    /// <summary>A repository name in the instance's own ECR (<c>ragstream-web</c>) or a full reference of any registry.</summary>
    public required string Image { get; init; }

    public AwsConfig Aws { get; init; } = new();

    /// <summary>By the name of the environment variable that the app reads.</summary>
    public IReadOnlyDictionary<string, SecretConfig> Secrets { get; init; } = new Dictionary<string, SecretConfig>();

    /// <summary>Plain environment of the container. It is stored by the engine and shown by <c>docker inspect</c>: no secrets here.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public ContainerConfig Container { get; init; } = new();
    public ListenConfig Listen { get; init; } = new();
    public PageConfig Page { get; init; } = new();
    public TlsConfig Tls { get; init; } = new();

    /// <summary>Who may come in; null: whoever reaches the port.</summary>
    public AccessConfig? Access { get; init; }

    public HealthConfig Health { get; init; } = new();
    public RestartConfig Restart { get; init; } = new();
    public UpdateConfig Update { get; init; } = new();

    /// <summary>Null: no name is pointed at this machine.</summary>
    public DnsConfig? Dns { get; init; }

    /// <summary>Null: the instance never stops itself.</summary>
    public IdleConfig? Idle { get; init; }

    /// <summary>The app is had by HTTPS only: whoever comes by HTTP is led there.</summary>
    public bool RedirectsToHttps => Listen.Https is not null && Tls.Redirect is not false;

    /// <summary>Where visitors find the app by its name; null: it has none.</summary>
    public string? Url => (Dns, Listen.Https) switch
    {
        (null, _) => null,
        ({ } dns, { } https) => $"https://{dns.Name}{(https == 443 ? "" : $":{https}")}{Listen.BasePath}/",
        ({ } dns, null) => $"http://{dns.Name}{(Listen.Http == 80 ? "" : $":{Listen.Http}")}{Listen.BasePath}/",
    };
}

public sealed record AwsConfig
{
    /// <summary>Null: from the environment, the profile or the instance metadata, in this order.</summary>
    public string? Region { get; init; }
}

/// <summary>Where a secret comes from.</summary>
public enum SecretSource
{
    /// <summary>A Parameter Store name or ARN; <c>/aws/reference/secretsmanager/NAME</c> reads Secrets Manager.</summary>
    Ssm,

    /// <summary>An absolute path on this machine.</summary>
    File,

    /// <summary>A systemd credential: a file name below <c>$CREDENTIALS_DIRECTORY</c>.</summary>
    Credential,
}

/// <summary>How a secret reaches the app.</summary>
public enum SecretDelivery
{
    /// <summary>Through memory only; needs a <c>/bin/sh</c> in the image.</summary>
    Memory,

    /// <summary>As container environment, which the engine writes to its disk: only for images that have no shell.</summary>
    Environment,
}

/// <param name="Source">The kind of place.</param>
/// <param name="Name">The parameter's name, the file's path or the credential's name, by <paramref name="Source"/>.</param>
/// <param name="Json">When set, the value is a JSON object and the secret is this field of it.</param>
/// <param name="Delivery">How the app gets it.</param>
public sealed record SecretConfig(SecretSource Source, string Name, string? Json = null, SecretDelivery Delivery = SecretDelivery.Memory);

public sealed record ContainerConfig
{
    public string Name { get; init; } = "ragstream";

    /// <summary>The port that the app listens on inside the container.</summary>
    public int Port { get; init; } = 8501;

    /// <summary>Bytes; null: no limit. The container gets no swap beyond it.</summary>
    public long? Memory { get; init; }

    /// <summary>Cores, for example 1.5; null: no limit.</summary>
    public double? Cpus { get; init; }

    /// <summary><c>uid</c>, <c>uid:gid</c> or a name that the image knows; null: the image's own.</summary>
    public string? User { get; init; }

    public bool ReadOnlyRoot { get; init; }
    public IReadOnlyList<VolumeConfig> Volumes { get; init; } = [];

    /// <summary>Two containers at once would write to the same data.</summary>
    public bool HasWritableVolumes => Volumes.Any(volume => !volume.ReadOnly);

    /// <summary>From SIGTERM to SIGKILL.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(20);
}

/// <param name="Host">An absolute path on this machine, or the name of an engine volume.</param>
/// <param name="Container">An absolute path in the container.</param>
/// <param name="ReadOnly">The app can't write to it.</param>
public sealed record VolumeConfig(string Host, string Container, bool ReadOnly = false);

public sealed record ListenConfig
{
    /// <summary>The port of the front door, on every address of this machine.</summary>
    public int Http { get; init; } = 80;

    /// <summary>The port of HTTPS, on every address of this machine; null: none. When set, <see cref="TlsConfig.Certificate"/> and <see cref="TlsConfig.Key"/> are.</summary>
    public int? Https { get; init; }

    /// <summary>Below which path the app lives, like <c>/rag</c>; null: at the root.</summary>
    public string? BasePath { get; init; }
}

public sealed record TlsConfig
{
    /// <summary>An absolute path: PEM, the certificate first, then its chain.</summary>
    public string? Certificate { get; init; }

    /// <summary>An absolute path: PEM, without a passphrase. Set when <see cref="Certificate"/> is.</summary>
    public string? Key { get; init; }

    /// <summary>The webroot that an ACME client writes its challenges to, an absolute path; null: the app gets such requests.</summary>
    public string? Challenge { get; init; }

    /// <summary>HTTP is led to HTTPS; null: where there is HTTPS.</summary>
    public bool? Redirect { get; init; }

    /// <summary>How long browsers shall know that there is HTTPS; null: they are not told.</summary>
    public TimeSpan? Hsts { get; init; }
}

/// <summary>How much a visitor is told while the app does not serve.</summary>
public enum PageDetails
{
    /// <summary>What a stranger may know: that the app starts, how far it is, that something is wrong.</summary>
    Brief,

    /// <summary>The operator's own sentence as well, with names and addresses, and what to do.</summary>
    Full,
}

/// <summary>The page that visitors see while the app does not serve.</summary>
public sealed record PageConfig
{
    /// <summary>Null: the container's name.</summary>
    public string? Title { get; init; }

    /// <summary><c>#</c> and three or six hex digits; null: the page's own.</summary>
    public string? Accent { get; init; }

    /// <summary>An absolute path of an image file, read when the agent starts; null: none.</summary>
    public string? Logo { get; init; }

    public PageDetails Details { get; init; } = PageDetails.Brief;
}

/// <summary>Who may come in. One of the two is given, or both; who fulfils one of them comes in.</summary>
public sealed record AccessConfig
{
    /// <summary>Where the hash of the password is, as <c>ragagent password</c> makes it; null: nobody comes in by a password.</summary>
    public SecretConfig? Password { get; init; }

    /// <summary>Who has an address in one of these comes in without a password.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];
}

public sealed record HealthConfig
{
    public StartupProbeConfig Startup { get; init; } = new();
    public GateConfig Gate { get; init; } = new();
    public LivenessProbeConfig Liveness { get; init; } = new();
}

public sealed record StartupProbeConfig
{
    public string Path { get; init; } = "/_stcore/health";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the container's start: not well by then, it is stopped and tried again.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What a container must pass once, after the startup probe and before any visitor reaches it.</summary>
public sealed record GateConfig
{
    /// <summary>Must answer 2xx; null: not asked.</summary>
    public string? Path { get; init; }

    /// <summary>Must accept a WebSocket handshake; null: not asked.</summary>
    public string? WebSocket { get; init; } = "/_stcore/stream";
}

public sealed record LivenessProbeConfig
{
    public string Path { get; init; } = "/_stcore/health";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Failures in a row before the container is restarted.</summary>
    public int Failures { get; init; } = 4;
}

public sealed record RestartConfig
{
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A run this long forgets the crashes before it.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>When a newer image that was found takes over.</summary>
public enum UpdateWhen
{
    /// <summary>When no WebSocket session is open.</summary>
    Idle,

    /// <summary>As soon as it is on disk.</summary>
    Now,
}

/// <summary>What is started at boot.</summary>
public enum UpdateBoot
{
    /// <summary>The newest image, once it is on disk.</summary>
    Latest,

    /// <summary>The last good image at once; the newest takes over when it is on disk.</summary>
    Cached,
}

/// <summary>The order of an update.</summary>
public enum UpdateSwap
{
    /// <summary>Start-first when no volume is shared for writing, else stop-first.</summary>
    Auto,

    /// <summary>The new container proves itself beside the old one.</summary>
    StartFirst,

    /// <summary>The old container is gone before the new one starts: there is never a second writer.</summary>
    StopFirst,
}

public sealed record UpdateConfig
{
    public UpdateBoot Boot { get; init; } = UpdateBoot.Latest;

    public UpdateSwap Swap { get; init; } = UpdateSwap.Auto;

    /// <summary>How long a new image must serve well before it counts as good.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often the tag is looked up after boot; null: only on <c>ragagent update</c>.</summary>
    public TimeSpan? Every { get; init; } = TimeSpan.FromMinutes(5);

    public UpdateWhen When { get; init; } = UpdateWhen.Idle;

    /// <summary>Start-first: how long the requests and WebSockets that the old container has are left to it, at most.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long of a change of containers requests wait for its end; zero: they don't wait.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the new container proves itself beside the old one.</summary>
    public bool StartsFirst(ContainerConfig container) => Swap == UpdateSwap.StartFirst || (Swap == UpdateSwap.Auto && !container.HasWritableVolumes);
}

/// <summary>When the instance stops itself. One of <see cref="StopAfter"/> and <see cref="MaxUptime"/> is set.</summary>
public sealed record IdleConfig
{
    /// <summary>Without a visitor for this long; null: only by <see cref="MaxUptime"/>.</summary>
    public TimeSpan? StopAfter { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>For want of visitors it is not stopped before the machine has been up for this long.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>From the boot; then it is stopped with visitors as well. Null: no such limit.</summary>
    public TimeSpan? MaxUptime { get; init; }
}
