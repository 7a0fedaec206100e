using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Has the certificate for the next handshake: looks at its files again and again, and keeps the last pair that could be used.</summary>
/// <remarks>By their contents: certbot moves links, other tools write over a file, and of neither is every step heard.</remarks>
internal sealed class CertificateWatch(AgentConfig config, StateBoard board, AgentClock clock, ILogger<CertificateWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Usually = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WhileInDoubt = TimeSpan.FromSeconds(1);

    private readonly CertificateFiles? _files = config.Tls is { Certificate: { } certificate, Key: { } key } ? new CertificateFiles(certificate, key) : null;
    private volatile Certificate? _current;
    private volatile Problem? _refused;
    private volatile Problem? _age;
    private Problem? _suspect;

    /// <summary>Called after anything here has changed. It must not block.</summary>
    public event Action? Changed;

    /// <summary>For the next handshake; null: there is none yet, or no HTTPS at all.</summary>
    public Certificate? Current => _current;

    /// <summary>What is wrong with the files, and with what is in use.</summary>
    public IEnumerable<Problem> Problems => new[] { _refused, _age }.OfType<Problem>();

    /// <summary>Why nobody gets in: the app is had by HTTPS only, and there is no certificate.</summary>
    public Problem? KeepsVisitorsOut => config.SecureOnly && _current is null ? _refused : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the door opens, and told at once: that a renewal is being written just now would be a rare chance.
        Look(certain: true);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_files is not null)
        {
            await Task.Delay(_current is null || _suspect is not null ? WhileInDoubt : Usually, clock.Time, stoppingToken);
            Look(certain: false);
        }
    }

    /// <param name="certain">A pair that can't be used is told at once. Else only when the next look finds the same: certbot exchanges the two files one after the other.</param>
    internal void Look(bool certain)
    {
        if (_files is null)
        {
            return;
        }
        var (before, now) = ((_current, _refused, _age), clock.Time.GetUtcNow());
        try
        {
            var read = _files.Read(_current, now);
            _suspect = null;
            if (read != _current)
            {
                _current = read;
                logger.CertificateTaken(read, CertificateFiles.Day(read.Ends));
            }
            else if (_refused is not null)
            {
                logger.CertificateMended(read);
            }
            _refused = null;
        }
        catch (ProblemException e)
        {
            if (certain || e.Problem == _suspect)
            {
                Refuse(Kept(e.Problem));
            }
            _suspect = e.Problem;
        }
        var age = _current is { } current ? _files.Age(current, now) : null;
        if (age is not null && age != _age)
        {
            logger.CertificateTroubles(age);
        }
        _age = age;
        if (before != (_current, _refused, _age))
        {
            Changed?.Invoke();
            board.Touch();
        }
    }

    private Problem Kept(Problem problem) => _current is { } current
        ? problem with { What = $"{problem.What} HTTPS goes on with the certificate that was read before, which is valid until {CertificateFiles.Day(current.Ends)}." }
        : problem;

    private void Refuse(Problem problem)
    {
        if (problem == _refused)
        {
            return;
        }
        _refused = problem;
        // Of what closes the door, the supervision tells.
        if (KeepsVisitorsOut is null)
        {
            logger.CertificateTroubles(problem);
        }
    }
}
