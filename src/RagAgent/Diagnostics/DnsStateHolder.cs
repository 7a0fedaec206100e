using System.Net;
using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics;

/// <summary>Where the name of the app points, as far as is known: who keeps it tells, status shows it.</summary>
internal sealed class DnsStateHolder(StateFeed feed) : IDnsStatus
{
    private volatile DnsState _current = new([], [], null);

    public DnsState Current => _current;

    IReadOnlyList<IPAddress> IDnsStatus.Addresses => _current.Addresses;

    IEnumerable<ReportedProblem> IProblemSource.Problems
    {
        get
        {
            var current = _current;
            return current.Problems.Select(problem => new ReportedProblem(problem, current.NextTry));
        }
    }

    public void Update(DnsState now)
    {
        _current = now;
        feed.Touch();
    }
}

/// <param name="Addresses">Of this machine, that the name points at.</param>
/// <param name="Problems">What keeps it from pointing here, or only here; none: nothing, or nothing is known yet.</param>
/// <param name="NextTry">When it is looked at again; null: nothing is wrong.</param>
internal sealed record DnsState(IReadOnlyList<IPAddress> Addresses, IReadOnlyList<Problem> Problems, Moment? NextTry);
