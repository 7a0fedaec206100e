using System.Runtime.InteropServices;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;
using RagAgent.Control;

namespace RagAgent.Cli;

/// <summary>SIGHUP: reads the file again. A changed one is used at once, beside the running app; an unchanged one changes nothing; a bad one is told and forgotten.</summary>
/// <remarks>One for the whole life of the process: a signal may come at any moment, also between two agents.</remarks>
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

    /// <param name="file">Read again at each signal.</param>
    /// <param name="result">What it said at first.</param>
    /// <param name="inUse">Where the status finds which file is used, and why a newer one is not.</param>
    /// <param name="logger">Where the outcome goes.</param>
    public ConfigReload(string file, ConfigResult result, ConfigInUse inUse, ILogger logger)
    {
        (_file, _inUse, _logger, _container, _fingerprint) = (file, inUse, logger, result.Config!.Container.Name, result.Fingerprint);
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
                return _requested.Token;
            }
        }
    }

    /// <summary>What to go on with; null: the agent was told to end.</summary>
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
            _requested = new CancellationTokenSource();   // for a signal that is just being handled
        }
    }

    private void Read()
    {
        lock (_lock)
        {
            // Within the lock: of two signals, the one that read last is the one that counts.
            var result = ConfigReader.ReadFile(_file);
            switch (result.Config)
            {
                case null:
                    Reject(result.Errors);
                    break;
                case { Container.Name: var name } when name != _container:
                    Reject([new ConfigError(_file, null, null, "container.name",
                        $"can't change while the agent runs: '{_container}' would go on beside the new one, with the same data. Stop the agent, remove that container, start the agent")]);
                    break;
                // The same as what is in use, or as what the agent is just beginning anew with.
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
        _inUse.Report(new Problem(ProblemCatalog.ConfigRefused, $"The configuration was read again and can't be used: {ErrorMessages.EndSentence($"{problems[0]}{others}")}",
            "The one before it stays in use. Correct the file ('ragagent config check' tells all its mistakes), then 'systemctl reload ragagent'."));
    }
}
