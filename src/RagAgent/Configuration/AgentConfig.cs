using System.Net;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration;

/// <summary>The validated content of <c>/etc/ragagent.json</c>.</summary>
/// <remarks>Only <see cref="ConfigReader"/> and <c>ragagent try</c> create it. Every default is here, next to its key.</remarks>
internal sealed record AgentConfig
{
    /// <summary>A repository in this account's ECR (<c>ragstream-web</c>), or a full reference that begins with the registry.</summary>
    public required string Image { get; init; }

    public AwsConfig Aws { get; init; } = new();

    /// <summary>Keyed by the environment variable that the app reads.</summary>
    public IReadOnlyDictionary<string, SecretConfig> Secrets { get; init; } = new Dictionary<string, SecretConfig>();

    /// <summary>Plain variables of the container. The engine stores them and <c>docker inspect</c> shows them, so no secrets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public ContainerConfig Container { get; init; } = new();
    public ListenConfig Listen { get; init; } = new();
    public PageConfig Page { get; init; } = new();
    public TlsConfig Tls { get; init; } = new();

    /// <summary>Null: open to everyone who can reach the port.</summary>
    public AccessConfig? Access { get; init; }

    public HealthConfig Health { get; init; } = new();
    public RestartConfig Restart { get; init; } = new();
    public UpdateConfig Update { get; init; } = new();

    /// <summary>Null: no DNS name points at this machine.</summary>
    public DnsConfig? Dns { get; init; }

    /// <summary>Null: the instance never stops itself.</summary>
    public IdleConfig? Idle { get; init; }

    /// <summary>The folder of the secrets that the app reads from files; null: there are none.</summary>
    public string? SecretsFolder =>
        Secrets.Values.Select(secret => secret.Path).OfType<string>().Select(SecretPath.FolderOf).FirstOrDefault()
        ?? (Container.StreamlitSecrets ? SecretPath.DefaultFolder : null);

    /// <summary>The file of <c>st.secrets</c>; null: there is none.</summary>
    public string? StreamlitSecretsFile => Container.StreamlitSecrets ? $"{SecretsFolder}/{SecretPath.StreamlitFileName}" : null;

    /// <summary>HTTP requests are redirected to HTTPS.</summary>
    public bool RedirectsToHttps => Listen.Https is not null && Tls.Redirect is not false;

    /// <summary>The app's address under its DNS name; null without <c>dns</c>.</summary>
    public string? Url => (Dns, Listen.Https) switch
    {
        (null, _) => null,
        ({ } dns, { } https) => $"https://{dns.Name}{(https == 443 ? "" : $":{https}")}{Listen.BasePath}/",
        ({ } dns, null) => $"http://{dns.Name}{(Listen.Http == 80 ? "" : $":{Listen.Http}")}{Listen.BasePath}/",
    };
}

internal sealed record AwsConfig
{
    /// <summary>Null: from the environment, else the profile, else the instance metadata.</summary>
    public string? Region { get; init; }
}

/// <summary>Where a secret comes from.</summary>
internal enum SecretSource
{
    /// <summary>A Parameter Store name or ARN; <c>/aws/reference/secretsmanager/NAME</c> reads Secrets Manager.</summary>
    Ssm,

    /// <summary>An absolute path on this machine.</summary>
    File,

    /// <summary>A systemd credential: a file name below <c>$CREDENTIALS_DIRECTORY</c>.</summary>
    Credential,
}

/// <summary>How a secret reaches the app.</summary>
internal enum SecretDelivery
{
    /// <summary>Through memory only. The image needs <c>/bin/sh</c>.</summary>
    Memory,

    /// <summary>As container environment, which the engine writes to disk. For images without a shell.</summary>
    Environment,
}

/// <param name="Source">Where <paramref name="Name"/> is looked up.</param>
/// <param name="Name">The parameter name, file path or credential name.</param>
/// <param name="Json">If set, the value is a JSON object and this field of it is the secret.</param>
/// <param name="Delivery">Always <see cref="SecretDelivery.Memory"/> for <c>access.password</c>, which the app never gets.</param>
/// <param name="Path">The file in the container that holds the secret; null: an environment variable holds it.</param>
internal sealed record SecretConfig(
    SecretSource Source, string Name, string? Json = null, SecretDelivery Delivery = SecretDelivery.Memory, string? Path = null);

internal sealed record ContainerConfig
{
    public string Name { get; init; } = "ragstream";

    /// <summary>The port that the app listens on inside the container.</summary>
    public int Port { get; init; } = 8501;

    /// <summary>In bytes, without additional swap; null: no limit.</summary>
    public long? Memory { get; init; }

    /// <summary>In cores, such as 1.5; null: no limit.</summary>
    public double? Cpus { get; init; }

    /// <summary><c>uid</c>, <c>uid:gid</c> or names that the image knows; null: the image's user.</summary>
    public string? User { get; init; }

    public bool ReadOnlyRoot { get; init; }

    /// <summary>The secrets that are environment variables are also in Streamlit's <c>st.secrets</c>.</summary>
    public bool StreamlitSecrets { get; init; }

    public IReadOnlyList<VolumeConfig> Volumes { get; init; } = [];

    /// <summary>If so, two containers must never run at the same time: both would write to the same data.</summary>
    public bool HasWritableVolumes => Volumes.Any(volume => !volume.ReadOnly);

    /// <summary>From SIGTERM to SIGKILL.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(20);
}

/// <param name="Host">An absolute path on this machine, or the name of a Docker volume.</param>
/// <param name="Container">An absolute path in the container.</param>
/// <param name="ReadOnly">The app can't write to it.</param>
internal sealed record VolumeConfig(string Host, string Container, bool ReadOnly = false);

internal sealed record ListenConfig
{
    /// <summary>The HTTP port, on all addresses.</summary>
    public int Http { get; init; } = 80;

    /// <summary>
    /// The HTTPS port, on all addresses; null: no HTTPS.
    /// If set, <see cref="TlsConfig.Certificate"/> and <see cref="TlsConfig.Key"/> are also set.
    /// </summary>
    public int? Https { get; init; }

    /// <summary>The path that the app lives below, such as <c>/rag</c>; null: the root.</summary>
    public string? BasePath { get; init; }
}

internal sealed record TlsConfig
{
    /// <summary>Absolute path of a PEM file: the certificate, then its chain.</summary>
    public string? Certificate { get; init; }

    /// <summary>Absolute path of a PEM file without a passphrase. Set if <see cref="Certificate"/> is set.</summary>
    public string? Key { get; init; }

    /// <summary>Absolute path of the webroot that an ACME client writes challenges to; null: such requests go to the app.</summary>
    public string? Challenge { get; init; }

    /// <summary>Whether HTTP redirects to HTTPS; null: yes, if there is HTTPS.</summary>
    public bool? Redirect { get; init; }

    /// <summary>How long browsers refuse HTTP after they used HTTPS (zero: forget it now); null: no HSTS header.</summary>
    public TimeSpan? Hsts { get; init; }
}

/// <summary>How much the status page tells clients.</summary>
internal enum PageDetails
{
    /// <summary>What strangers may know: that the app starts, its progress, that something is wrong.</summary>
    Brief,

    /// <summary>Also what operators see: names, addresses and remedies.</summary>
    Full,
}

/// <summary>The status page, which clients get while the app does not serve.</summary>
internal sealed record PageConfig
{
    /// <summary>Null: the container's name.</summary>
    public string? Title { get; init; }

    /// <summary><c>#</c> and three or six hex digits; null: the built-in colour.</summary>
    public string? Accent { get; init; }

    /// <summary>Absolute path of an image file, read when the agent starts; null: no logo.</summary>
    public string? Logo { get; init; }

    public PageDetails Details { get; init; } = PageDetails.Brief;
}

/// <summary>Who may use the app. At least one of the two is set; a client needs to satisfy only one.</summary>
internal sealed record AccessConfig
{
    /// <summary>Source of the password's hash, as <c>ragagent password</c> creates it; null: no password gives access.</summary>
    public SecretConfig? Password { get; init; }

    /// <summary>Clients with an address in one of these need no password.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];
}

internal sealed record HealthConfig
{
    public StartupProbeConfig Startup { get; init; } = new();
    public GateConfig Gate { get; init; } = new();
    public LivenessProbeConfig Liveness { get; init; } = new();
}

internal sealed record StartupProbeConfig
{
    public string Path { get; init; } = "/_stcore/health";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Counted from the container's start. A container that isn't healthy by then is restarted.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What a container must pass once, after the startup probe and before clients reach it.</summary>
internal sealed record GateConfig
{
    /// <summary>Must answer 2xx; null: skipped.</summary>
    public string? Path { get; init; }

    /// <summary>Must accept a WebSocket handshake; null: skipped, and no session either.</summary>
    public string? WebSocket { get; init; } = "/_stcore/stream";

    /// <summary>Whether to run a session over that WebSocket; null: if the app speaks Streamlit's protocol.</summary>
    public bool? Session { get; init; }

    /// <summary>For <see cref="Path"/> and for the session, each.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(3);
}

internal sealed record LivenessProbeConfig
{
    public string Path { get; init; } = "/_stcore/health";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Consecutive failures before the container is restarted.</summary>
    public int Failures { get; init; } = 4;
}

internal sealed record RestartConfig
{
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A run this long resets the backoff.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>When to swap to a newer image.</summary>
internal enum UpdateWhen
{
    /// <summary>When no WebSocket session is open.</summary>
    Idle,

    /// <summary>As soon as the image is on disk.</summary>
    Now,
}

/// <summary>What to start at boot.</summary>
internal enum UpdateBoot
{
    /// <summary>The newest image, once it is on disk.</summary>
    Latest,

    /// <summary>The last known good image at once. The newest takes over once it is on disk.</summary>
    Cached,
}

/// <summary>The order of a swap.</summary>
internal enum UpdateSwap
{
    /// <summary>Stop-first with writable volumes, else start-first.</summary>
    Auto,

    /// <summary>The old container serves until the new one is ready.</summary>
    StartFirst,

    /// <summary>The old container is gone before the new one starts, so there is never a second writer.</summary>
    StopFirst,
}

internal sealed record UpdateConfig
{
    public UpdateBoot Boot { get; init; } = UpdateBoot.Latest;

    public UpdateSwap Swap { get; init; } = UpdateSwap.Auto;

    /// <summary>How long a new image must keep serving to count as good.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often to look for a newer image after boot; null: only on <c>ragagent update</c>.</summary>
    public TimeSpan? Every { get; init; } = TimeSpan.FromMinutes(5);

    public UpdateWhen When { get; init; } = UpdateWhen.Idle;

    /// <summary>A session that nobody has used for so long doesn't hold up an update.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long an update waits for sessions in use.</summary>
    public TimeSpan WaitAtMost { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Start-first: how long the old container may finish its requests and WebSockets.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long requests wait during a stop-first swap or a restart; zero: they don't wait.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Resolves <see cref="UpdateSwap.Auto"/>.</summary>
    public bool StartsFirst(ContainerConfig container) =>
        Swap == UpdateSwap.StartFirst || (Swap == UpdateSwap.Auto && !container.HasWritableVolumes);
}

/// <summary>When the instance stops itself. At least one of <see cref="StopAfter"/> and <see cref="MaxUptime"/> is set.</summary>
internal sealed record IdleConfig
{
    /// <summary>Time without activity; null: only <see cref="MaxUptime"/> stops the instance.</summary>
    public TimeSpan? StopAfter { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>Time after boot before which the instance is not stopped for lack of activity.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time after boot when the instance is stopped even if in use; null: no limit.</summary>
    public TimeSpan? MaxUptime { get; init; }
}
