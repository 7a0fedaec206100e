using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Proxy;
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
        var activation = ActivationSockets.Here();
        try
        {
            using var output = new AgentOutput();
            using var control = new ControlAddress(directory);
            using var reload = new Reload(file, read, output.For<Reload>());
            while (true)
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, reload.Token);
                int code;
                using (var host = AgentHost.Build(config, control, state, systemd, activation, output))
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

    /// <summary>SIGHUP: reads the file again. A changed one is used at once, beside the running app; an unchanged one changes nothing; a bad one is told and forgotten.</summary>
    /// <remarks>One for the whole life of the process: a signal may come at any moment, also between two agents.</remarks>
    private sealed class Reload : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly string _file;
        private readonly ILogger _logger;
        private readonly PosixSignalRegistration _signal;
        private readonly string _container;
        private string _fingerprint;
        private AgentConfig? _next;
        private CancellationTokenSource _asked = new();

        /// <param name="file">Read again at each signal.</param>
        /// <param name="read">What it said at first.</param>
        /// <param name="logger">Where the outcome goes.</param>
        public Reload(string file, ConfigResult read, ILogger logger)
        {
            (_file, _logger, _container, _fingerprint) = (file, logger, read.Config!.Container.Name, read.Fingerprint);
            _signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                Read();
            });
        }

        /// <summary>Fires when there is something to go on with.</summary>
        public CancellationToken Token
        {
            get
            {
                lock (_lock)
                {
                    return _asked.Token;
                }
            }
        }

        /// <summary>What to go on with; null: the agent was told to end.</summary>
        public AgentConfig? Take()
        {
            lock (_lock)
            {
                if (_next is not { } next)
                {
                    return null;
                }
                _next = null;
                _asked.Dispose();
                _asked = new CancellationTokenSource();
                return next;
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _signal.Dispose();
                _asked.Dispose();
                _asked = new CancellationTokenSource();   // for a signal that is just being handled
            }
        }

        private void Read()
        {
            lock (_lock)
            {
                // Within the lock: of two signals, the one that read last is the one that counts.
                var read = ConfigReader.ReadFile(_file);
                switch (read.Config)
                {
                    case null:
                        Refuse(read.Problems);
                        break;
                    case { Container.Name: var name } when name != _container:
                        Refuse([new ConfigProblem(_file, null, null, "container.name",
                            $"can't change while the agent runs: '{_container}' would go on beside the new one, with the same data. Stop the agent, remove that container, start the agent")]);
                        break;
                    // The same as what is in use, or as what the agent is just beginning anew with.
                    case not null when read.Fingerprint == _fingerprint:
                        _logger.ConfigurationUnchanged();
                        break;
                    case { } config:
                        (_next, _fingerprint) = (config, read.Fingerprint);
                        _logger.BeginsAnew();
                        _asked.Cancel();
                        break;
                }
            }
        }

        private void Refuse(IReadOnlyList<ConfigProblem> problems)
        {
            foreach (var problem in problems)
            {
                _logger.Refused(problem);
            }
            _logger.Kept();
        }
    }
}
