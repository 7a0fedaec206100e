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
        var command = new Command("run", "Run the agent in the foreground, as systemd does.") { configFile, runtimeDirectory, stateDirectory };
        command.SetAction((parsed, stopping) => RunAsync(parsed.GetValue(configFile)!, parsed.GetValue(runtimeDirectory)!, new StateDirectory(parsed.GetValue(stateDirectory)!), stopping));
        return command;
    }

    private static async Task<int> RunAsync(string configFile, string runtimeDirectory, StateDirectory stateDirectory, CancellationToken stopping)
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
            using var controlSocket = new ControlSocket(runtimeDirectory);
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

    private static async Task<int> RunHostAsync(IHost host, ControlSocket controlSocket, SafeSystemdNotifier systemd, CancellationToken end)
    {
        // Before anything of ours is touched: the container is this agent's, then the directory.
        _ = host.Services.GetRequiredService<SingleInstanceLock>();
        controlSocket.Acquire();
        try
        {
            await StartHostAsync(host);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Ok;   // told to end in the middle of it; it has ended in good order
        }
        // Ready means: the configuration is valid and the front door answers. Not that the app serves: a pull may take long.
        systemd.Notify(ServiceState.Ready);
        try
        {
            await host.WaitForShutdownAsync(end);
        }
        catch (OperationCanceledException)
        {
            // The shutdown took its whole limit. What was cut has said so; the app is not touched by it.
        }
        // A loop that broke ends the host in good order; the exit code must say so, or systemd sees a success.
        var faulted = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true });
        return faulted ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task StartHostAsync(IHost host)
    {
        try
        {
            // Takes milliseconds. Ended in the middle, by a second reload or a stop, it would throw instead of ending in good order.
            await host.StartAsync(CancellationToken.None);
        }
        catch
        {
            // Parts that run already end in good order; torn down, each would call it a fault of its own.
            await host.StopAsync(CancellationToken.None);
            throw;
        }
    }
}
