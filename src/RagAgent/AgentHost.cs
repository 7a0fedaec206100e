using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Control;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Listening;
using RagAgent.Supervision;

namespace RagAgent;

/// <summary>Composes the agent. <see cref="AgentServices"/> has the parts of each room.</summary>
internal static class AgentHost
{
    // Shorter than systemd's limit (TimeoutStopSec=30): a handover in progress is finished, nothing else is waited for.
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(20);

    public static IHost Build(
        AgentConfig config,
        ControlSocketLock controlSocket,
        StateDirectory stateDirectory,
        ISystemdNotifier systemd,
        ActivationSockets activation,
        AgentLogging logging,
        ConfigInUse configInUse)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            DisableDefaults = true,
            ApplicationName = "ragagent",
            // Nothing is read from the content root. The default, the binary's directory, may be inaccessible to the agent's user.
            ContentRootPath = "/",
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services
            .AddSingleton(config)
            .AddSingleton(stateDirectory)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<AgentClock>();

        // Hosted services start in this order and stop in reverse: first those that observe, then those that produce events,
        // then the supervisor, and last the front door and the control socket, which answer requests.
        builder.Services
            .AddDiagnostics(systemd, logging)
            .AddSecrets()
            .AddAws()
            .AddContainers()
            .AddImages()
            .AddHealth()
            .AddSupervision(CreatePolicy(config))
            .AddStorage(stateDirectory)
            .AddProxy(activation)
            .AddControl(controlSocket, configInUse)
            .AddReporting()
            .AddChecks();
        return builder.Build();
    }

    /// <summary>The settings that the supervision's rules use.</summary>
    private static Policy CreatePolicy(AgentConfig config) => new()
    {
        ConfigFingerprint = ContainerSpec.ComputeFingerprint(config),
        StartupInterval = config.Health.Startup.Interval,
        StartupDeadline = config.Health.Startup.Deadline,
        HasGate = config.Health.Gate is not { Path: null, WebSocket: null },
        GateRunsSession = config.Health.Gate is { WebSocket: not null, Session: not false },
        GateTimeout = config.Health.Gate.Timeout,
        LivenessInterval = config.Health.Liveness.Interval,
        LivenessFailures = config.Health.Liveness.Failures,
        Restart = new Backoff(config.Restart.FirstDelay, config.Restart.MaxDelay),
        RestartResetAfter = config.Restart.ResetAfter,
        CheckInterval = config.Update.Every,
        WaitForIdle = config.Update.When == UpdateWhen.Idle,
        WaitAtMost = config.Update.WaitAtMost,
        IdleAfter = config.Update.IdleAfter,
        Watch = config.Update.Watch,
        DrainTimeout = config.Update.Drain,
        // Other requests are held meanwhile, so never longer than those wait.
        FinishTimeout = config.Update.Hold < Policy.MaxFinish ? config.Update.Hold : Policy.MaxFinish,
        BootFromCache = config.Update.Boot == UpdateBoot.Cached,
        Idle = config.Idle is not { } idle ? null : new IdlePolicy
        {
            StopAfter = idle.StopAfter,
            Grace = idle.Grace,
            MaxUptime = idle.MaxUptime,
            BootedAt = Moment.Zero - BootTimeline.Uptime(),
        },
        StartFirst = config.Update.StartsFirst(config.Container),
    };
}
