using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Proxy.Tls;

/// <summary>Has the certificate for the next handshake: looks at its files again and again, and keeps the last pair that could be used.</summary>
/// <remarks>By their contents: certbot moves links, other tools write over a file, and of neither is every step heard.</remarks>
internal sealed class CertificateWatch(AgentConfig config, StateFeed feed, AgentClock clock, ILogger<CertificateWatch> logger)
    : BackgroundService, ICertificateStatus
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly CertificateFiles? _files = config.Tls is { Certificate: { } certificate, Key: { } key } ? new CertificateFiles(certificate, key) : null;
    private volatile Certificate? _current;
    private volatile Problem? _loadProblem;
    private volatile Problem? _expiryProblem;
    private Problem? _unconfirmedProblem;

    /// <summary>Called after anything here has changed. It must not block.</summary>
    public event Action? Changed;

    /// <summary>For the next handshake; null: there is none yet, or no HTTPS at all.</summary>
    public Certificate? Current => _current;

    /// <summary>What is wrong with the files, and with what is in use.</summary>
    public IEnumerable<Problem> Problems => new[] { _loadProblem, _expiryProblem }.OfType<Problem>();

    IReadOnlyList<string> ICertificateStatus.Names => _current?.Names ?? [];

    DateTimeOffset? ICertificateStatus.ValidUntil => _current?.NotAfter;

    IEnumerable<ReportedProblem> IProblemSource.Problems => Problems.Select(problem => new ReportedProblem(problem));

    /// <summary>Why nobody gets in: the app is had by HTTPS only, and there is no certificate.</summary>
    public Problem? BlockingProblem => config.RedirectsToHttps && _current is null ? _loadProblem : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the door opens, and told at once: that a renewal is being written just now would be a rare chance.
        Reload(reportAtOnce: true);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_files is not null)
        {
            await Task.Delay(_current is null || _unconfirmedProblem is not null ? RetryInterval : PollInterval, clock.Time, stoppingToken);
            Reload(reportAtOnce: false);
        }
    }

    /// <param name="reportAtOnce">A pair that can't be used is told at once. Else only when the next look finds the same: certbot exchanges the two files one after the other.</param>
    internal void Reload(bool reportAtOnce)
    {
        if (_files is null)
        {
            return;
        }
        var (before, now) = ((_current, _loadProblem, _expiryProblem), clock.Time.GetUtcNow());
        try
        {
            var loaded = _files.Read(_current, now);
            _unconfirmedProblem = null;
            if (loaded != _current)
            {
                _current = loaded;
                logger.CertificateLoaded(loaded, CertificateFiles.FormatDate(loaded.NotAfter));
            }
            else if (_loadProblem is not null)
            {
                logger.CertificateRecovered(loaded);
            }
            _loadProblem = null;
        }
        catch (ProblemException exception)
        {
            if (reportAtOnce || exception.Problem == _unconfirmedProblem)
            {
                SetLoadProblem(WithCurrentCertificate(exception.Problem));
            }
            _unconfirmedProblem = exception.Problem;
        }
        var expiry = _current is { } current ? _files.ExpiryProblem(current, now) : null;
        if (expiry is not null && expiry != _expiryProblem)
        {
            logger.CertificateProblem(expiry);
        }
        _expiryProblem = expiry;
        if (before != (_current, _loadProblem, _expiryProblem))
        {
            Changed?.Invoke();
            feed.Touch();
        }
    }

    private Problem WithCurrentCertificate(Problem problem) => _current is { } current
        ? problem with { What = $"{problem.What} HTTPS goes on with the certificate that was read before, which is valid until {CertificateFiles.FormatDate(current.NotAfter)}." }
        : problem;

    private void SetLoadProblem(Problem problem)
    {
        if (problem == _loadProblem)
        {
            return;
        }
        _loadProblem = problem;
        // Of what closes the door, the supervision tells.
        if (BlockingProblem is null)
        {
            logger.CertificateProblem(problem);
        }
    }
}
