using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Aws;
using RagAgent.Aws.Dns;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Containers.AppLogs;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Health;
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

/// <summary>Puts the agent together: one line, one room.</summary>
internal static class AgentHost
{
    // Less than systemd's patience with the unit (TimeoutStopSec=30): what is being handed over is finished, nothing else is waited for.
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(20);

    public static IHost Build(AgentConfig config, ControlSocket controlSocket, StateDirectory stateDirectory, ISystemdNotifier systemd, ActivationSockets activation, AgentLogging logging, ConfigInUse configInUse)
    {
        // The root of no content: nothing is read from beside the binary, which may lie where its user can't look.
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "ragagent", ContentRootPath = "/" });
        builder.Services.AddSingleton(config).AddSingleton(stateDirectory).AddSingleton(TimeProvider.System).AddSingleton<AgentClock>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownTimeout);
        AddDiagnostics(builder.Services, systemd, logging);
        AddSecrets(builder.Services);
        AddAws(builder.Services);
        AddContainers(builder.Services);
        AddImages(builder.Services);
        AddHealth(builder.Services);
        AddSupervision(builder.Services, config);
        AddStorage(builder.Services, stateDirectory);
        AddProxy(builder.Services, activation);
        AddControl(builder.Services, controlSocket, configInUse);
        AddReporting(builder.Services);
        AddChecks(builder.Services);
        return builder.Build();
    }

    private static void AddDiagnostics(IServiceCollection services, ISystemdNotifier systemd, AgentLogging logging) => services
        .AddSingleton(logging.Vault).AddSingleton(logging.Sink).AddSingleton(systemd)
        .AddSerilog(logging.Logger)
        .AddHostedService<StatusLine>()
        .AddSingleton(s => new BootTimeline(BootId.Read(BootId.KernelPath) ?? "", BootTimeline.Uptime(), s.GetRequiredService<IBootStore>(), s.GetRequiredService<TimeProvider>()))
        .AddHostedService<BootRecorder>()
        .AddSingleton<DnsStateHolder>().AddSingleton(s => new ShutdownDetector(s.GetRequiredService<StateFeed>()))
        .AddSingleton(WatchdogTimeout.FromEnvironment()).AddHostedService<Watchdog>();

    private static void AddSecrets(IServiceCollection services) => services
        .AddSingleton<SecretReader>().AddSingleton<ISecrets, SecretsWithPasswordRefresh>()
        .AddSingleton<PasswordHashProvider>().AddHostedService(s => s.GetRequiredService<PasswordHashProvider>());

    private static void AddAws(IServiceCollection services)
    {
        InstanceMetadata.BypassProxies();
        services.AddSingleton<InstanceMetadata>().AddSingleton<AwsContext>()
            .AddSingleton<IParameterStore, SsmParameterStore>().AddSingleton<IRegistryAuthenticator, EcrAuthenticator>()
            .AddSingleton<Ec2InstanceControl>().AddSingleton<IInstanceControl>(s => s.GetRequiredService<Ec2InstanceControl>())
            .AddSingleton<Route53Client>().AddHostedService<DnsRecordUpdater>();
    }

    private static void AddContainers(IServiceCollection services) => services
        .AddSingleton<EngineConnection>().AddSingleton<ContainerOutput>().AddSingleton<IEngine, DockerEngine>()
        .AddSingleton(s => new SingleInstanceLock(s.GetRequiredService<EngineConnection>().Socket, s.GetRequiredService<AgentConfig>().Container.Name))
        .AddSingleton<EngineLogClient>().AddSingleton<LogPositionStore>().AddSingleton<AppLogCollector>().AddHostedService(s => s.GetRequiredService<AppLogCollector>())
        .AddHostedService<EngineWatcher>();

    private static void AddImages(IServiceCollection services) => services
        .AddSingleton<RegistryClient>().AddSingleton<EnginePull>().AddSingleton<EngineImages>().AddSingleton<EngineDisk>()
        .AddSingleton<ImageRepair>().AddSingleton<Retention>().AddSingleton<ImageStore>().AddSingleton<IImages>(s => s.GetRequiredService<ImageStore>());

    private static void AddHealth(IServiceCollection services) => services.AddSingleton(new Pressure()).AddSingleton<IProber, HttpProber>();

    private static void AddSupervision(IServiceCollection services, AgentConfig config) => services
        .AddSingleton(CreatePolicy(config)).AddSingleton<StateFeed>().AddSingleton<EffectRunner>()
        .AddSingleton<Supervisor>().AddHostedService(s => s.GetRequiredService<Supervisor>()).AddSingleton<IHeartbeat>(s => s.GetRequiredService<Supervisor>());

    private static void AddStorage(IServiceCollection services, StateDirectory stateDirectory) => services
        .AddSingleton(stateDirectory)
        .AddSingleton<IBootStore>(s => new BootFile(stateDirectory.Path, s.GetRequiredService<ILogger<BootFile>>()))
        .AddSingleton<IStateStore>(s => new StateFile(stateDirectory.Path, s.GetRequiredService<ILogger<StateFile>>()));

    private static void AddProxy(IServiceCollection services, ActivationSockets activation) => services
        .AddSingleton<InFlightRequests>().AddSingleton<IConnectionDrain>(s => s.GetRequiredService<InFlightRequests>())
        .AddSingleton<CertificateWatch>().AddHostedService(s => s.GetRequiredService<CertificateWatch>())
        .AddSingleton(activation).AddSingleton<AccessControl>().AddSingleton(new ConnectionLimits()).AddSingleton<FrontDoor>().AddHostedService(s => s.GetRequiredService<FrontDoor>());

    private static void AddControl(IServiceCollection services, ControlSocket controlSocket, ConfigInUse configInUse) => services
        .AddSingleton(controlSocket).AddSingleton(configInUse).AddHostedService<ControlServer>().AddSingleton<IHeartbeat, ControlHeartbeat>();

    private static void AddReporting(IServiceCollection services) => services
        .AddSingleton<StateChangeLog>().AddSingleton<StatusWriter>()
        .AddSingleton<IConfigStatus>(s => s.GetRequiredService<ConfigInUse>())
        .AddSingleton<IPasswordStatus>(s => s.GetRequiredService<PasswordHashProvider>())
        .AddSingleton<ICertificateStatus>(s => s.GetRequiredService<CertificateWatch>())
        .AddSingleton<IDnsStatus>(s => s.GetRequiredService<DnsStateHolder>());

    /// <summary>In the order in which one needs the other; what several need comes first.</summary>
    private static void AddChecks(IServiceCollection services) => services
        .AddSingleton<Doctor>()
        .AddSingleton<ICheck, SystemdUnitCheck>().AddSingleton<ICheck, AppCheck>().AddSingleton<ICheck, EngineCheck>().AddSingleton<ICheck, VolumesCheck>().AddSingleton<ICheck, PortCheck>().AddSingleton<ICheck, CertificateCheck>()
        .AddSingleton<ICheck, InstanceCheck>().AddSingleton<ICheck, EndpointsCheck>().AddSingleton<ICheck, CredentialsCheck>()
        .AddSingleton<ICheck, SecretsCheck>().AddSingleton<ICheck, AccessCheck>().AddSingleton<ICheck, RegistryCheck>().AddSingleton<ICheck, DiskCheck>()
        .AddSingleton<ICheck, DnsCheck>().AddSingleton<ICheck, IdleCheck>();

    /// <summary>The numbers of the configuration that decisions are made with.</summary>
    private static Policy CreatePolicy(AgentConfig config) => new()
    {
        ConfigFingerprint = ContainerSpec.ComputeFingerprint(config),
        StartupInterval = config.Health.Startup.Interval,
        StartupDeadline = config.Health.Startup.Deadline,
        HasGate = config.Health.Gate is not { Path: null, WebSocket: null },
        LivenessInterval = config.Health.Liveness.Interval,
        LivenessFailures = config.Health.Liveness.Failures,
        Restart = new Backoff(config.Restart.FirstDelay, config.Restart.MaxDelay),
        RestartResetAfter = config.Restart.ResetAfter,
        CheckInterval = config.Update.Every,
        WaitForIdle = config.Update.When == UpdateWhen.Idle,
        Watch = config.Update.Watch,
        DrainTimeout = config.Update.Drain,
        // Others are held meanwhile, so never longer than these wait.
        FinishTimeout = config.Update.Hold < Policy.MaxFinish ? config.Update.Hold : Policy.MaxFinish,
        BootFromCache = config.Update.Boot == UpdateBoot.Cached,
        Idle = config.Idle is { } idle ? new IdlePolicy { StopAfter = idle.StopAfter, Grace = idle.Grace, MaxUptime = idle.MaxUptime, BootedAt = Moment.Zero - BootTimeline.Uptime() } : null,
        StartFirst = config.Update.StartsFirst(config.Container),
    };
}
