using System.Net;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics;

/// <summary>Passes what is known about the app's DNS name from the record updater to the status.</summary>
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

    public void Update(DnsState state)
    {
        _current = state;
        feed.Touch();
    }
}
