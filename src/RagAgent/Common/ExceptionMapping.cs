using System.Net.Sockets;

namespace RagAgent.Common;

/// <summary>The one mapping from an exception to a sentence for operators.</summary>
/// <remarks>
/// A room that knows more (the engine's words, AWS's error types) throws <see cref="ProblemException"/> itself; what
/// arrives here otherwise is told by its kind, and by its type's name at last. Exception messages of libraries are used only where
/// they can't hold a secret.
/// </remarks>
internal static class ExceptionMapping
{
    public const string RetriesAutomatically = "The agent tries again by itself.";

    public static Problem ToProblem(Exception exception) => exception switch
    {
        ProblemException p => p.Problem,
        HttpRequestException h => NetworkProblem(h.Message, h),
        SocketException s => NetworkProblem(s.Message, s),
        TimeoutException t => new(ProblemCatalog.Timeout, WithPeriod(t.Message), RetriesAutomatically),
        OperationCanceledException => new(ProblemCatalog.Timeout, "An answer did not come in time.", RetriesAutomatically),
        IOException io => new(ProblemCatalog.Io, WithPeriod(io.Message), RetriesAutomatically),
        _ => new(ProblemCatalog.Unexpected, $"Something unexpected happened: {exception.GetType().Name}: {WithPeriod(exception.Message)}",
            "This is a fault of the agent: please report it with the lines around this one. " + RetriesAutomatically),
    };

    /// <summary>Why a connection failed, in few words: the innermost cause says it best.</summary>
    public static string DescribeCause(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            // Beneath a wait that was given up lies only how it was given up.
            if (inner is OperationCanceledException or TimeoutException or Polly.Timeout.TimeoutRejectedException)
            {
                return "it did not answer in time";
            }
        }
        var root = exception.GetBaseException();
        return root switch
        {
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } => "its name can't be resolved",
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "the connection was refused",
            SocketException { SocketErrorCode: SocketError.TimedOut } => "the connection timed out",
            SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable } => "the network does not reach it",
            SocketException { SocketErrorCode: SocketError.ConnectionReset } => "the connection was cut",
            System.Security.Authentication.AuthenticationException => "its TLS certificate was not accepted",
            _ => root.Message.TrimEnd('.'),
        };
    }

    private static Problem NetworkProblem(string message, Exception exception) => new(ProblemCatalog.Network, $"{message.TrimEnd('.')}: {DescribeCause(exception)}.", RetriesAutomatically);

    /// <summary>Adds a period unless the text already ends a sentence.</summary>
    public static string WithPeriod(string sentence) => sentence is [.., '.' or '?' or '!'] ? sentence : sentence + ".";
}
