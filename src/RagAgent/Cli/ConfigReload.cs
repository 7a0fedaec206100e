using System.Runtime.InteropServices;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;
using RagAgent.Control;

namespace RagAgent.Cli;

/// <summary>Reads the configuration again on SIGHUP. If it changed, the host is replaced and the app keeps running.</summary>
/// <remarks>Lives as long as the process, because a signal may also arrive between two agents.</remarks>
internal sealed class ConfigReload : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _file;
    private readonly ConfigInUse _inUse;
    private readonly ILogger _logger;
    private readonly PosixSignalRegistration _signal;
    private readonly string _container;
    private string _fingerprint;
    private AgentConfig? _next;
    private CancellationTokenSource _requested = new();

    /// <param name="file">The file to read on each signal.</param>
    /// <param name="result">Its content at the start of the process.</param>
    /// <param name="inUse">Gets what <c>ragagent status</c> shows: the configuration in use and why a newer one was rejected.</param>
    /// <param name="logger">Logs the outcome of each signal.</param>
    public ConfigReload(string file, ConfigResult result, ConfigInUse inUse, ILogger logger)
    {
        (_file, _inUse, _logger, _container, _fingerprint) = (file, inUse, logger, result.Config!.Container.Name, result.Fingerprint);
        _signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            Read();
        });
    }

    /// <summary>Fires when there is a new configuration to take.</summary>
    public CancellationToken Token
    {
        get
        {
            lock (_lock)
            {
                return _requested.Token;
            }
        }
    }

    /// <summary>The new configuration, once; null if there is none.</summary>
    public AgentConfig? TakeNext()
    {
        lock (_lock)
        {
            if (_next is not { } next)
            {
                return null;
            }
            _next = null;
            _requested.Dispose();
            _requested = new CancellationTokenSource();
            return next;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _signal.Dispose();
            _requested.Dispose();
            _requested = new CancellationTokenSource();   // for a signal that is being handled right now
        }
    }

    private void Read()
    {
        lock (_lock)
        {
            // Inside the lock, so that the last of several reads wins.
            var result = ConfigReader.ReadFile(_file);
            switch (result.Config)
            {
                case null:
                    Reject(result.Errors);
                    break;
                case { Container.Name: var name } when name != _container:
                    Reject([new ConfigError(_file, null, null, "container.name",
                        $"can't change while the agent runs: '{_container}' would keep running next to the new container, with the same data. "
                        + "Stop the agent, remove the container, then start the agent")]);
                    break;
                // Equal to what is in use, or to what the agent is about to restart with.
                case not null when result.Fingerprint == _fingerprint:
                    _inUse.Report(null);
                    _logger.ConfigurationUnchanged();
                    break;
                case { } config:
                    _inUse.Report(null);
                    (_next, _fingerprint, _inUse.Fingerprint) = (config, result.Fingerprint, result.Fingerprint);
                    _logger.ConfigurationReloaded();
                    _requested.Cancel();
                    break;
            }
        }
    }

    private void Reject(IReadOnlyList<ConfigError> problems)
    {
        foreach (var problem in problems)
        {
            _logger.ConfigurationRejected(problem);
        }
        _logger.ConfigurationKept();
        var others = problems.Count > 1 ? $" ({problems.Count - 1} more)" : "";
        _inUse.Report(new Problem(
            ProblemCatalog.ConfigRefused,
            $"The configuration was read again and can't be used: {ExceptionMapping.WithPeriod($"{problems[0]}{others}")}",
            "The previous one stays in use. Correct the file ('ragagent config check' lists all errors), then run 'systemctl reload ragagent'."));
    }
}
