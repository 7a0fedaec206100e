using System.Net;
using LocalAws.Admin;
using LocalAws.Ec2;
using LocalAws.Ecr;
using LocalAws.Faults;
using LocalAws.Metadata;
using LocalAws.Registry;
using LocalAws.Requests;
using LocalAws.Route53;
using LocalAws.Services;
using LocalAws.Signing;
using LocalAws.Ssm;
using Yarp.ReverseProxy.Forwarder;

namespace LocalAws;

/// <summary>AWS on loopback: instance metadata, Parameter Store, ECR in front of a real registry, StopInstances and Route 53.</summary>
/// <remarks>Several can run at the same time.</remarks>
public sealed class LocalAwsServer : IAsyncDisposable
{
    // All of 127/8 is loopback on Linux. As on AWS, blobs come from another host than the registry: HTTP clients decide by the host
    // name whether the Authorization header follows a redirect.
    private static readonly IPAddress StorageAddress = IPAddress.Parse("127.0.0.2");

    private static readonly IPAddress MetadataAddress = IPAddress.Parse("169.254.169.254");

    // Requests to a global service are signed for one region.
    private const string GlobalRegion = "us-east-1";

    private readonly CancellationTokenSource _stopping = new();
    private readonly Stack<IAsyncDisposable> _started = new();

    private LocalAwsServer(LocalAwsOptions options)
    {
        Options = options;
        Instance = options.Instance;
        Requests = new RequestLog(options.Clock);
        Parameters = new ParameterStore(options.Clock);
        HostedZones = new HostedZones(options.Clock);
        RegistryTokens = new RegistryTokens(options.Clock);
        Repositories = new Repositories(options.StorageDirectory);
        Credentials = new CredentialStore();
        RoleCredentials = new RoleCredentials(Credentials, options.AccountId, options.Clock);
        foreach (var (id, secret) in options.StaticKeys)
        {
            Credentials.Add(new AwsCredential(id, secret, null, null, $"arn:aws:iam::{options.AccountId}:user/static"));
        }
    }

    public LocalAwsOptions Options { get; }

    /// <summary>The address of all APIs and the admin paths.</summary>
    public Uri ApiEndpoint { get; private set; } = null!;

    /// <summary>The same over TLS; null without <see cref="LocalAwsOptions.TlsCertificate"/>.</summary>
    public Uri? TlsApiEndpoint { get; private set; }

    public Uri RegistryEndpoint { get; private set; } = null!;

    /// <summary>The registry in an image's name, such as <c>127.0.0.1:41234</c>.</summary>
    public string RegistryHost => RegistryEndpoint.Authority;

    /// <summary>What IMDS reports. Set it to attach a role later, or to change the instance's address.</summary>
    public InstanceInfo Instance { get; set; }

    public ParameterStore Parameters { get; }

    /// <summary>Empty at first.</summary>
    public HostedZones HostedZones { get; }

    public FaultTable Faults { get; } = new();

    public RequestLog Requests { get; }

    public Repositories Repositories { get; }

    public RegistryTokens RegistryTokens { get; }

    public RoleCredentials RoleCredentials { get; }

    /// <summary>Add a key pair to admit another caller.</summary>
    public CredentialStore Credentials { get; }

    /// <summary>Raised when EC2 accepted to stop the instance. Handlers run within the request and must not block.</summary>
    public event Action? StopAccepted;

    /// <summary>A login that may push and never expires.</summary>
    public (string User, string Password) DockerLogin => ("AWS", RegistryTokens.PublisherPassword);

    /// <summary>Starts everything. If a part fails, the started parts are stopped.</summary>
    /// <exception cref="LocalAwsException">The registry can't be started.</exception>
    /// <exception cref="IOException">A requested port is taken.</exception>
    public static async Task<LocalAwsServer> StartAsync(LocalAwsOptions options, CancellationToken stopping = default)
    {
        var server = new LocalAwsServer(options);
        try
        {
            await server.StartAsync(stopping);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The standard variables that point an AWS client here. The region isn't among them: it comes from IMDS, as on EC2. Callers must
    /// make sure that no other credentials (AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws) take precedence.
    /// </summary>
    public IReadOnlyDictionary<string, string> EnvironmentForAgent() => new Dictionary<string, string>
    {
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = ApiEndpoint.ToString().TrimEnd('/'),
        ["AWS_ENDPOINT_URL_SSM"] = ApiEndpoint.ToString().TrimEnd('/'),
        ["AWS_ENDPOINT_URL_ECR"] = ApiEndpoint.ToString().TrimEnd('/'),
        ["AWS_ENDPOINT_URL_EC2"] = ApiEndpoint.ToString().TrimEnd('/'),
        ["AWS_ENDPOINT_URL_ROUTE_53"] = ApiEndpoint.ToString().TrimEnd('/'),
    };

    /// <summary>Releases hanging requests, closes the listeners and stops the registry. A second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        while (_started.TryPop(out var part))
        {
            await part.DisposeAsync();
        }
    }

    private async Task StartAsync(CancellationToken stopping)
    {
        var registry = Track(await DistributionRegistry.StartAsync(Options.RegistryProgram, Options.StorageDirectory, stopping));
        var services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
        _started.Push(services);
        var forwarder = new RegistryForwarder(services.GetRequiredService<IHttpForwarder>(), registry);
        var interceptor = new RequestInterceptor(Requests, Faults, Options.Clock, _stopping.Token);

        var storageAddress = "";
        var storage = new BlobStorage(Options.Region, () => storageAddress, forwarder, interceptor, Options.Clock);
        var storageListener = Track(await Listener.StartAsync(new IPEndPoint(StorageAddress, 0), storage.HandleAsync, stopping));
        storageAddress = $"http://{storageListener.EndPoint}";

        var ecrRegistry = new EcrRegistry(Options, RegistryTokens, Repositories, forwarder, storage, interceptor);
        var ecrRegistryListener = Track(
            await Listener.StartAsync(new IPEndPoint(IPAddress.Loopback, Options.RegistryPort), ecrRegistry.HandleAsync, stopping));
        RegistryEndpoint = new Uri($"http://{ecrRegistryListener.EndPoint}");

        var api = CreateApiHandler(interceptor);
        var apiListener = Track(await Listener.StartAsync(new IPEndPoint(IPAddress.Loopback, Options.ApiPort), api, stopping));
        ApiEndpoint = new Uri($"http://{apiListener.EndPoint}");
        if (Options.TlsCertificate is { } certificate)
        {
            var tlsListener = Track(await Listener.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), api, stopping, certificate));
            TlsApiEndpoint = new Uri($"https://{tlsListener.EndPoint}");
        }
        if (Options.AwsHostNamesAddress is { } address)
        {
            await StartAwsHostNamesAsync(address, api, forwarder, interceptor, stopping);
        }
    }

    private async Task StartAwsHostNamesAsync(
        IPAddress address, RequestDelegate api, RegistryForwarder forwarder, RequestInterceptor interceptor, CancellationToken stopping)
    {
        var certificate = Options.TlsCertificate
            ?? throw new LocalAwsException("AWS's host names need TLS: set a certificate.");
        var hostNames = new AwsHostNames(Options.Region, Options.AccountId);
        var storage = new BlobStorage(Options.Region, () => $"https://{hostNames.Storage}", forwarder, interceptor, Options.Clock);
        var ecrRegistry = new EcrRegistry(Options, RegistryTokens, Repositories, forwarder, storage, interceptor);
        Task AnswerAsync(HttpContext context) => context.Request.Host.Host switch
        {
            var host when host == hostNames.Registry => ecrRegistry.HandleAsync(context),
            var host when host == hostNames.Storage => storage.HandleAsync(context),
            _ => api(context),
        };
        Track(await Listener.StartAsync(new IPEndPoint(address, 443), AnswerAsync, stopping, certificate));
        Track(await Listener.StartAsync(new IPEndPoint(MetadataAddress, 80), api, stopping));
    }

    private RequestDelegate CreateApiHandler(RequestInterceptor interceptor)
    {
        var imds = new MetadataService(() => Instance, Options.Region, Options.AccountId, RoleCredentials, interceptor, Options.Clock);
        var ssm = new SsmService(Parameters, Options.Region, Options.AccountId);
        var ecr = new EcrService(RegistryTokens, () => Options.ProxyEndpoint
            ?? (Options.AwsHostNamesAddress is null ? RegistryEndpoint.ToString().TrimEnd('/') : $"https://{new AwsHostNames(Options.Region, Options.AccountId).Registry}"));
        var verifier = new SignatureVerifier(Credentials, Options.Region, Options.Clock);
        var globalVerifier = new SignatureVerifier(Credentials, GlobalRegion, Options.Clock);
        var json = new JsonApi([ssm, ecr], verifier, interceptor);
        var ec2Service = new Ec2Service(() => Instance, Options.Region, Options.AccountId, () => StopAccepted?.Invoke());
        var ec2 = new QueryApi(ec2Service, verifier, interceptor);
        var route53 = new RestXmlApi(new Route53Service(HostedZones), globalVerifier, interceptor);
        var admin = new AdminApi(this);
        return context => context.Request.Path switch
        {
            var path when AdminApi.CanHandle(path) => admin.RespondAsync(context),
            _ when Route53Service.CanHandle(context.Request) => route53.HandleAsync(context),
            var path when MetadataService.CanHandle(path) => imds.HandleAsync(context),
            _ when QueryApi.CanHandle(context.Request) => ec2.HandleAsync(context),
            _ => json.HandleAsync(context),
        };
    }

    private T Track<T>(T part)
        where T : IAsyncDisposable
    {
        _started.Push(part);
        return part;
    }
}
