using System.Net;
using RagAgent.Common;

namespace RagAgent.Reporting;

// What the status shows beside the supervision's state. The rooms that know it implement these, so that this room needs none of them.

/// <summary>Has problems of its own.</summary>
internal interface IProblemSource
{
    IEnumerable<ReportedProblem> Problems { get; }
}

/// <param name="Problem">What is wrong.</param>
/// <param name="NextTry">When the agent tries again; null if it is not known.</param>
internal sealed record ReportedProblem(Problem Problem, Moment? NextTry = null);

internal interface IConfigStatus : IProblemSource
{
    /// <summary>Of the configuration in use; null: none is.</summary>
    string? Fingerprint { get; }
}

/// <summary>The password that clients log in with.</summary>
internal interface IPasswordStatus : IProblemSource;

/// <summary>The app's log.</summary>
internal interface IAppExceptions
{
    /// <summary>The uncaught exceptions in visitors' sessions, and the last one's last line.</summary>
    (int Count, string? LastLine) OfVisitors(string containerId);
}

/// <summary>The TLS certificate in use.</summary>
internal interface ICertificateStatus : IProblemSource
{
    /// <summary>Empty: there is no certificate yet.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Null: there is no certificate yet.</summary>
    DateTimeOffset? ValidUntil { get; }
}

/// <summary>The app's DNS name.</summary>
internal interface IDnsStatus : IProblemSource
{
    /// <summary>This machine's addresses that the name points to.</summary>
    IReadOnlyList<IPAddress> Addresses { get; }
}
