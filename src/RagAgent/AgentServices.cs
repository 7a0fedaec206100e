using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Aws;
using RagAgent.Aws.Dns;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Containers.AppLogs;
using RagAgent.Control;
using RagAgent.Control.Checks;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Health;
using RagAgent.Health.Sessions;
using RagAgent.Images;
using RagAgent.Proxy;
using RagAgent.Proxy.Access;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;
using RagAgent.Reporting;
using RagAgent.Secrets;
using RagAgent.Storage;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using Serilog;

namespace RagAgent;

/// <summary>The parts of each room, registered for <see cref="AgentHost"/>.</summary>
internal static class AgentServices
{
    public static IServiceCollection AddDiagnostics(
        this IServiceCollection services,
        ISystemdNotifier systemd,
        AgentLogging logging) => services
        .AddOutput(logging)
        .AddSingleton(systemd)
        .AddHostedService<StatusLine>()
        .AddSingleton(provider => new BootTimeline(
            BootId.Read(BootId.KernelPath) ?? "",
            BootTimeline.Uptime(),
            provider.GetRequiredService<IBootStore>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddHostedService<BootRecorder>()
        .AddSingleton<DnsStateHolder>()
        .AddSingleton(provider => new ShutdownDetector(provider.GetRequiredService<StateFeed>()))
        .AddSingleton(WatchdogTimeout.FromEnvironment())
        .AddHostedService<Watchdog>();

    public static IServiceCollection AddOutput(this IServiceCollection services, AgentLogging logging) => services
        .AddSingleton(logging.Vault)
        .AddSingleton(logging.Sink)
        .AddSerilog(logging.Logger);

    public static IServiceCollection AddSecrets(this IServiceCollection services) => services
        .AddSingleton<SecretReader>()
        .AddSingleton<ISecrets, SecretsWithPasswordRefresh>()
        .AddSingleton<PasswordHashProvider>()
        .AddHostedService(provider => provider.GetRequiredService<PasswordHashProvider>());

    public static IServiceCollection AddAws(this IServiceCollection services) => services
        .AddSingleton<InstanceMetadata>()
        .AddSingleton<AwsContext>()
        .AddSingleton<IParameterStore, SsmParameterStore>()
        .AddSingleton<IRegistryAuthenticator, EcrAuthenticator>()
        .AddSingleton<Ec2InstanceControl>()
        .AddSingleton<IInstanceControl>(provider => provider.GetRequiredService<Ec2InstanceControl>())
        .AddSingleton<Route53Client>()
        .AddHostedService<DnsRecordUpdater>();

    public static IServiceCollection AddContainers(this IServiceCollection services) => services
        .AddSingleton<EngineConnection>()
        .AddSingleton<ContainerLauncher>()
        .AddSingleton<ContainerOutput>()
        .AddSingleton<IEngine, DockerEngine>()
        .AddSingleton<IPortInspector, PortInspector>()
        .AddSingleton(provider => new SingleInstanceLock(
            provider.GetRequiredService<EngineConnection>().Socket,
            provider.GetRequiredService<AgentConfig>().Container.Name))
        .AddSingleton<EngineLogClient>()
        .AddSingleton<LogPositionStore>()
        .AddSingleton<UncaughtExceptionLog>()
        .AddSingleton<AppLogCollector>()
        .AddHostedService(provider => provider.GetRequiredService<AppLogCollector>())
        .AddHostedService<EngineWatcher>();

    public static IServiceCollection AddImages(this IServiceCollection services) => services
        .AddSingleton<RegistryClient>()
        .AddSingleton<EnginePull>()
        .AddSingleton<EngineImages>()
        .AddSingleton<EngineDisk>()
        .AddSingleton<ImageRepair>()
        .AddSingleton<Retention>()
        .AddSingleton<ImageStore>()
        .AddSingleton<IImages>(provider => provider.GetRequiredService<ImageStore>());

    public static IServiceCollection AddHealth(this IServiceCollection services) => services
        .AddSingleton(new Pressure())
        .AddSingleton<SessionProbe>()
        .AddSingleton<IProber, HttpProber>();

    public static IServiceCollection AddSupervision(this IServiceCollection services, Policy policy) => services
        .AddSingleton(policy)
        .AddSingleton<StateFeed>()
        .AddSingleton<EffectRunner>()
        .AddSingleton<Supervisor>()
        .AddHostedService(provider => provider.GetRequiredService<Supervisor>())
        .AddSingleton<IHeartbeat>(provider => provider.GetRequiredService<Supervisor>());

    public static IServiceCollection AddStorage(this IServiceCollection services, StateDirectory stateDirectory) => services
        .AddSingleton<IBootStore>(provider => new BootFile(stateDirectory.Path, provider.GetRequiredService<ILogger<BootFile>>()))
        .AddSingleton<IStateStore>(provider => new StateFile(
            stateDirectory.Path, provider.GetRequiredService<AgentClock>(), provider.GetRequiredService<ILogger<StateFile>>()));

    public static IServiceCollection AddProxy(this IServiceCollection services, ActivationSockets activation) => services
        .AddSingleton<InFlightRequests>()
        .AddSingleton<IConnectionDrain, ConnectionDrain>()
        .AddSingleton<CertificateWatch>()
        .AddHostedService(provider => provider.GetRequiredService<CertificateWatch>())
        .AddSingleton(activation)
        .AddSingleton<AccessControl>()
        .AddSingleton(new ClientLimits())
        .AddSingleton<RequestPipeline>()
        .AddSingleton<FrontDoorServer>()
        .AddSingleton<FrontDoor>()
        .AddHostedService(provider => provider.GetRequiredService<FrontDoor>());

    public static IServiceCollection AddReporting(this IServiceCollection services) => services
        .AddSingleton<IStateObserver, StateChangeLog>()
        .AddSingleton<StatusWriter>()
        .AddSingleton<IConfigStatus>(provider => provider.GetRequiredService<ConfigInUse>())
        .AddSingleton<IPasswordStatus>(provider => provider.GetRequiredService<PasswordHashProvider>())
        .AddSingleton<ICertificateStatus>(provider => provider.GetRequiredService<CertificateWatch>())
        .AddSingleton<IAppExceptions>(provider => provider.GetRequiredService<UncaughtExceptionLog>())
        .AddSingleton<IDnsStatus>(provider => provider.GetRequiredService<DnsStateHolder>());

    public static IServiceCollection AddControl(
        this IServiceCollection services,
        ControlSocketLock controlSocket,
        ConfigInUse configInUse) => services
        .AddSingleton(controlSocket)
        .AddSingleton(configInUse)
        .AddHostedService<ControlServer>()
        .AddSingleton<IHeartbeat, ControlSocketHeartbeat>();

    /// <summary>The doctor's checks in the order of its report: prerequisites before what depends on them.</summary>
    public static IServiceCollection AddChecks(this IServiceCollection services) => services
        .AddSingleton<Doctor>()
        .AddSingleton<ICheck, SystemdUnitCheck>()
        .AddSingleton<ICheck, AppCheck>()
        .AddSingleton<ICheck, EngineCheck>()
        .AddSingleton<ICheck, VolumesCheck>()
        .AddSingleton<ICheck, PortCheck>()
        .AddSingleton<ICheck, CertificateCheck>()
        .AddSingleton<ICheck, InstanceCheck>()
        .AddSingleton<ICheck, EndpointsCheck>()
        .AddSingleton<ICheck, CredentialsCheck>()
        .AddSingleton<ICheck, SecretsCheck>()
        .AddSingleton(CreateAccessCheck)
        .AddSingleton<ICheck, RegistryCheck>()
        .AddSingleton<ICheck, DiskCheck>()
        .AddSingleton<ICheck, DnsCheck>()
        .AddSingleton<ICheck, IdleCheck>();

    private static ICheck CreateAccessCheck(IServiceProvider provider)
    {
        var metadata = provider.GetRequiredService<InstanceMetadata>();
        return new ExposureCheck(
            provider.GetRequiredService<AgentConfig>(), PublicAddressAsync, provider.GetRequiredService<PasswordHashProvider>());

        async Task<string?> PublicAddressAsync(CancellationToken stopping) =>
            InstanceMetadata.IsDisabled ? null : await metadata.PublicIpv4Async(stopping);
    }
}
