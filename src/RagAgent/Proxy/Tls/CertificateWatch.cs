using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Proxy.Tls;

/// <summary>Provides the certificate for the next handshake: polls its files and keeps the last usable pair.</summary>
/// <remarks>Compares contents: certbot replaces links, other tools overwrite files, and no notification covers both reliably.</remarks>
internal sealed class CertificateWatch(AgentConfig config, StateFeed feed, AgentClock clock, ILogger<CertificateWatch> logger)
    : BackgroundService, ICertificateStatus
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly CertificateFiles? _files =
        config.Tls is { Certificate: { } certificate, Key: { } key } ? new CertificateFiles(certificate, key) : null;
    private volatile Certificate? _current;
    private volatile Problem? _loadProblem;
    private volatile Problem? _expiryProblem;
    private Problem? _unconfirmedProblem;   // seen once; reported when the next read finds the same

    /// <summary>Raised after any of the properties has changed. Handlers must not block.</summary>
    public event Action? Changed;

    /// <summary>For the next handshake. Null: there is none yet, or HTTPS is off.</summary>
    public Certificate? Current => _current;

    /// <summary>What is wrong with the files, and with the certificate in use.</summary>
    public IEnumerable<Problem> Problems => new[] { _loadProblem, _expiryProblem }.OfType<Problem>();

    IReadOnlyList<string> ICertificateStatus.Names => _current?.Names ?? [];

    DateTimeOffset? ICertificateStatus.ValidUntil => _current?.NotAfter;

    IEnumerable<ReportedProblem> IProblemSource.Problems => Problems.Select(problem => new ReportedProblem(problem));

    /// <summary>Why no client can get in: HTTP redirects to HTTPS, and there is no certificate.</summary>
    public Problem? BlockingProblem => config.RedirectsToHttps && _current is null ? _loadProblem : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the front door opens. Reported at once: a renewal is unlikely to be in progress at this very moment.
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

    /// <param name="reportAtOnce">
    /// Whether to report an unusable pair on first sight.
    /// Otherwise the next read must find the same: certbot replaces the two files one after the other.
    /// </param>
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

    private Problem WithCurrentCertificate(Problem problem)
    {
        if (_current is not { } current)
        {
            return problem;
        }
        var validUntil = CertificateFiles.FormatDate(current.NotAfter);
        return problem with { What = $"{problem.What} HTTPS keeps using the previous certificate, valid until {validUntil}." };
    }

    private void SetLoadProblem(Problem problem)
    {
        if (problem == _loadProblem)
        {
            return;
        }
        _loadProblem = problem;
        // The supervision logs a problem that closes the front door.
        if (BlockingProblem is null)
        {
            logger.CertificateProblem(problem);
        }
    }
}
