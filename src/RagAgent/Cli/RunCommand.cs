using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Proxy.Listening;
using RagAgent.Supervision;

namespace RagAgent.Cli;

/// <summary><c>ragagent run</c>: the service itself.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var file = Options.ConfigFile();
        var directory = Options.RuntimeDirectory();
        var state = Options.StateDirectory();
        var command = new Command("run", "Run the agent in the foreground, as systemd does.") { file, directory, state };
        command.SetAction((parsed, stopping) => RunAsync(parsed.GetValue(file)!, parsed.GetValue(directory)!, new StateDirectory(parsed.GetValue(state)!), stopping));
        return command;
    }

    private static async Task<int> RunAsync(string file, string directory, StateDirectory state, CancellationToken stopping)
    {
        var read = ConfigReader.ReadFile(file);
        if (read.Config is not { } config)
        {
            return ConfigCommand.Refuse(read.Problems);
        }
        var systemd = new Notifier(new SystemdNotifier());
        var activation = ActivationSockets.FromEnvironment();
        try
        {
            using var output = new AgentOutput();
            using var control = new ControlAddress(directory);
            var configInUse = new ConfigInUse { Fingerprint = read.Fingerprint };
            using var reload = new Reload(file, read, configInUse, output.For<Reload>());
            while (true)
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, reload.Token);
                int code;
                using (var host = AgentHost.Build(config, control, state, systemd, activation, output, configInUse))
                {
                    code = await RunOnceAsync(host, control, systemd, end.Token);
                }
                if (stopping.IsCancellationRequested || reload.Take() is not { } next)
                {
                    systemd.Notify(ServiceState.Stopping);
                    return code;
                }
                config = next;
            }
        }
        catch (ProblemException e)
        {
            await Console.Error.WriteLineAsync($"ragagent: {e.Problem}");
            return e.Problem.Code switch
            {
                "already-running" or "runtime-directory-taken" => ExitCodes.AlreadyRunning,
                "control-socket-name" => ExitCodes.BadConfiguration,
                _ => ExitCodes.Failed,
            };
        }
    }

    private static async Task<int> RunOnceAsync(IHost host, ControlAddress control, Notifier systemd, CancellationToken end)
    {
        // Before anything of ours is touched: the container is this agent's, then the directory.
        _ = host.Services.GetRequiredService<SoleAgent>();
        control.Claim();
        try
        {
            await StartAsync(host);
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
        var broken = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true });
        return broken ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static async Task StartAsync(IHost host)
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
