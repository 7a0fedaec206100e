using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Configuration;
using RagAgent.Control;
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
        var systemd = new SystemdNotifier();
        try
        {
            while (true)
            {
                using var reload = new Reload(file, config);
                using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, reload.Token);
                var code = await RunOnceAsync(config, directory, state, systemd, end.Token);
                if (reload.Config is not { } next)
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
            return e.Problem.Code == "already-running" ? ExitCodes.AlreadyRunning : ExitCodes.Failed;
        }
    }

    private static async Task<int> RunOnceAsync(AgentConfig config, string directory, StateDirectory state, SystemdNotifier systemd, CancellationToken end)
    {
        using var host = AgentHost.Build(config, new ControlAddress(directory), state, systemd);
        _ = host.Services.GetRequiredService<SoleAgent>();   // before anything of ours is touched
        await host.StartAsync(end);
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

    /// <summary>SIGHUP: reads the file again. A good one is used at once, beside the running app; a bad one is told and forgotten.</summary>
    private sealed class Reload : IDisposable
    {
        private readonly CancellationTokenSource _asked = new();
        private readonly PosixSignalRegistration _signal;

        public Reload(string file, AgentConfig current) => _signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            var read = ConfigReader.ReadFile(file);
            if (read.Config is { } config && config.Container.Name == current.Container.Name)
            {
                Config = config;
                _asked.Cancel();
                return;
            }
            ConfigCommand.Refuse(read.Config is null ? read.Problems : [new ConfigProblem(file, null, null, "container.name",
                $"can't change while the agent runs: '{current.Container.Name}' would go on beside the new one, with the same data. Stop the agent, remove that container, start the agent")]);
            Console.Error.WriteLine("ragagent: the configuration in use is kept.");
        });

        /// <summary>What to go on with; null: the agent was told to end.</summary>
        public AgentConfig? Config { get; private set; }

        public CancellationToken Token => _asked.Token;

        public void Dispose()
        {
            _signal.Dispose();
            _asked.Dispose();
        }
    }
}
