using System.Net.Sockets;

namespace RagAgent.Common;

/// <summary>Maps exceptions to problems, so that operators read a sentence.</summary>
/// <remarks>
/// Code that knows more, such as the engine's error texts or AWS's error codes, throws <see cref="ProblemException"/> itself. Other
/// exceptions are described by their type here. A library's message is used only where it can't contain a secret.
/// </remarks>
internal static class ExceptionMapping
{
    public const string RetriesAutomatically = "The agent retries automatically.";

    public static Problem ToProblem(Exception exception) => exception switch
    {
        ProblemException p => p.Problem,
        HttpRequestException h => NetworkProblem(h.Message, h),
        SocketException s => NetworkProblem(s.Message, s),
        TimeoutException t => new(ProblemCatalog.Timeout, WithPeriod(t.Message)),
        OperationCanceledException => new(ProblemCatalog.Timeout, "An answer did not arrive in time."),
        IOException io => new(ProblemCatalog.Io, WithPeriod(io.Message)),
        _ => new(ProblemCatalog.Unexpected, $"An unexpected error occurred: {exception.GetType().Name}: {WithPeriod(exception.Message)}",
            "This is a bug in the agent: please report it with the lines around this one. " + RetriesAutomatically),
    };

    /// <summary>Why a connection failed, in a few words. The innermost exception is the most precise.</summary>
    public static string DescribeCause(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            // What is inside an abandoned wait only says how it was abandoned.
            if (inner is OperationCanceledException or TimeoutException or Polly.Timeout.TimeoutRejectedException)
            {
                return "it did not answer in time";
            }
        }
        var root = exception.GetBaseException();
        return root switch
        {
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } =>
                "its name can't be resolved",
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "the connection was refused",
            SocketException { SocketErrorCode: SocketError.TimedOut } => "the connection timed out",
            SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable } =>
                "there is no route to it",
            SocketException { SocketErrorCode: SocketError.ConnectionReset } => "the connection was reset",
            System.Security.Authentication.AuthenticationException => "its TLS certificate was not accepted",
            _ => root.Message.TrimEnd('.'),
        };
    }

    private static Problem NetworkProblem(string message, Exception exception) =>
        new(ProblemCatalog.Network, $"{message.TrimEnd('.')}: {DescribeCause(exception)}.");

    /// <summary>Adds a period unless the text already ends a sentence.</summary>
    public static string WithPeriod(string sentence) => sentence is [.., '.' or '?' or '!'] ? sentence : sentence + ".";
}
