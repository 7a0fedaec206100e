using System.CommandLine;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Proxy.Listening;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent run</c>: the service itself.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var configFile = Options.ConfigFile();
        var runtimeDirectory = Options.RuntimeDirectory();
        var stateDirectory = Options.StateDirectory();
        var command = new Command("run", "Run the agent in the foreground, as systemd does.")
        {
            configFile,
            runtimeDirectory,
            stateDirectory,
        };
        command.SetAction((parsed, stopping) => RunAsync(
            parsed.GetValue(configFile)!,
            parsed.GetValue(runtimeDirectory)!,
            new StateDirectory(parsed.GetValue(stateDirectory)!),
            stopping));
        return command;
    }

    private static async Task<int> RunAsync(
        string configFile,
        string runtimeDirectory,
        StateDirectory stateDirectory,
        CancellationToken stopping)
    {
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is not { } config)
        {
            return ConfigCommand.ReportErrors(read.Errors);
        }
        var systemd = new SafeSystemdNotifier(new SystemdNotifier());
        var activation = ActivationSockets.FromEnvironment();
        try
        {
            using var logging = new AgentLogging();
            using var controlSocket = new ControlSocketLock(runtimeDirectory);
            var configInUse = new ConfigInUse { Fingerprint = read.Fingerprint };
            using var configReload = new ConfigReload(configFile, read, configInUse, logging.CreateLogger<ConfigReload>());
            while (true)
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, configReload.Token);
                int code;
                using (var host = AgentHost.Build(config, controlSocket, stateDirectory, systemd, activation, logging, configInUse))
                {
                    code = await RunHostAsync(host, controlSocket, systemd, end.Token);
                }
                if (stopping.IsCancellationRequested || configReload.TakeNext() is not { } next)
                {
                    systemd.Notify(ServiceState.Stopping);
                    return code;
                }
                config = next;
            }
        }
        catch (ProblemException exception)
        {
            await Console.Error.WriteLineAsync($"ragagent: {exception.Problem}");
            return exception.Problem.Kind.ExitCode;
        }
    }

    private static async Task<int> RunHostAsync(
        IHost host,
        ControlSocketLock controlSocket,
        SafeSystemdNotifier systemd,
        CancellationToken end)
    {
        // Before anything else: take the container, then the directory, from any other agent.
        _ = host.Services.GetRequiredService<SingleInstanceLock>();
        controlSocket.Acquire();
        try
        {
            await StartHostAsync(host);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Ok;   // stopped while starting; everything has been shut down
        }
        // Ready means that the configuration is valid and the front door answers, not that the app serves: a pull may take long.
        systemd.Notify(ServiceState.Ready);
        try
        {
            await host.WaitForShutdownAsync(end);
        }
        catch (OperationCanceledException)
        {
            // The shutdown reached its time limit. Interrupted parts have logged it, and the app is unaffected.
        }
        // A failed background service shuts the host down normally. The exit code must reveal it, or systemd sees a success.
        var faulted = host.Services.GetServices<IHostedService>()
            .OfType<BackgroundService>()
            .Any(service => service.ExecuteTask is { IsFaulted: true });
        return faulted ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task StartHostAsync(IHost host)
    {
        try
        {
            // Takes milliseconds. Cancelled halfway, by a reload or a stop, it would throw instead of shutting down.
            await host.StartAsync(CancellationToken.None);
        }
        catch
        {
            // Shuts down the parts that already run. Otherwise each would report a fault of its own.
            await host.StopAsync(CancellationToken.None);
            throw;
        }
    }
}
