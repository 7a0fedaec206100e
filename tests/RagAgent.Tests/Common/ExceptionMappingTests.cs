using System.Net.Sockets;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Common;

public class ExceptionMappingTests
{
    public static TheoryData<Exception, string> Causes => new()
    {
        { Socket(SocketError.HostNotFound), "its name can't be resolved" },
        { Socket(SocketError.TryAgain), "its name can't be resolved" },
        { Socket(SocketError.ConnectionRefused), "the connection was refused" },
        { Socket(SocketError.TimedOut), "the connection timed out" },
        { Socket(SocketError.NetworkUnreachable), "there is no route to it" },
        { Socket(SocketError.ConnectionReset), "the connection was reset" },
        { new System.Security.Authentication.AuthenticationException("x"), "its TLS certificate was not accepted" },
        { new TimeoutException("x"), "it did not answer in time" },
        { new Polly.Timeout.TimeoutRejectedException(), "it did not answer in time" },
        { new IOException("The answer ended early."), "The answer ended early" },
    };

    [Theory]
    [MemberData(nameof(Causes), DisableDiscoveryEnumeration = true)]
    public void A_failed_connection_is_described_by_its_innermost_cause(Exception cause, string words)
    {
        Assert.Equal(words, ExceptionMapping.DescribeCause(cause));
        Assert.Equal(words, ExceptionMapping.DescribeCause(new HttpRequestException("outer", new IOException("middle", cause))));
    }

    [Fact]
    public void An_abandoned_wait_is_a_timeout_whatever_its_inner_exception()
    {
        var cancelled = new TaskCanceledException("y", new IOException("z", Socket(SocketError.OperationAborted)));

        Assert.Equal("it did not answer in time", ExceptionMapping.DescribeCause(new HttpRequestException("x", cancelled)));
    }

    [Fact]
    public void A_problem_in_an_exception_stays_unchanged() =>
        Assert.Same(Sample.AnyProblem, ExceptionMapping.ToProblem(new ProblemException(Sample.AnyProblem)));

    [Theory]
    [InlineData(typeof(TimeoutException), "timeout", "Words.")]
    [InlineData(typeof(IOException), "io", "Words.")]
    [InlineData(typeof(OperationCanceledException), "timeout", "An answer did not arrive in time.")]
    [InlineData(typeof(InvalidCastException), "unexpected", "An unexpected error occurred: InvalidCastException: Words.")]
    [InlineData(typeof(HttpRequestException), "network", "Words: Words.")]
    public void Other_exceptions_are_mapped_by_type(Type type, string code, string what)
    {
        var problem = ExceptionMapping.ToProblem((Exception)Activator.CreateInstance(type, "Words.")!);

        Assert.Equal((code, what), (problem.Code, problem.What));
        Assert.EndsWith("The agent retries automatically.", problem.Remedy, StringComparison.Ordinal);
    }

    private static SocketException Socket(SocketError error) => new((int)error);
}
