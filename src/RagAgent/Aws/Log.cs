using RagAgent.Common;

namespace RagAgent.Aws;

/// <summary>AWS: ids 900-999.</summary>
internal static partial class Log
{
    [LoggerMessage(900, LogLevel.Information, "{Name} now points to {Addresses}. The app is at {Url}.", EventName = "NamePointed")]
    public static partial void DnsRecordWritten(this ILogger logger, string name, string addresses, string url);

    [LoggerMessage(901, LogLevel.Information, "{Name} already points to {Addresses}. The app is at {Url}.", EventName = "NameStands")]
    public static partial void DnsRecordUpToDate(this ILogger logger, string name, string addresses, string url);

    [LoggerMessage(902, LogLevel.Warning, "{Problem}", EventName = "NameTroubles")]
    public static partial void DnsProblem(this ILogger logger, Problem problem);

    [LoggerMessage(903, LogLevel.Information, "The machine is shutting down: deleted the record of {Name} that pointed to {Address}.",
        EventName = "NameTakenAway")]
    public static partial void DnsRecordDeleted(this ILogger logger, string name, string address);

    [LoggerMessage(904, LogLevel.Information,
        "The machine is shutting down, but {Name} no longer points to {Address}: the record was left unchanged.",
        EventName = "NameIsOthers")]
    public static partial void DnsRecordChangedElsewhere(this ILogger logger, string name, string address);

    [LoggerMessage(905, LogLevel.Warning, "The machine is shutting down, but {Name} may still point to {Address}. {Problem}",
        EventName = "NameStays")]
    public static partial void DnsRecordNotDeleted(this ILogger logger, string name, string address, Problem problem);
}
