using RagAgent.Common;
using RagAgent.Diagnostics.Logging;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What others say can't end a line, speak to systemd or paint a terminal.</summary>
public sealed class UntrustedTextTests
{
    [Theory]
    [InlineData("a page\nSTOPPING=1\r\n  \tand more\n", "a page STOPPING=1 and more")]
    [InlineData("\u001b[31mred\u0000", "␛[31mred␀")]
    [InlineData("turned \u202e round\u2028", "turned \ufffd round")]
    [InlineData("   ", "")]
    [InlineData("123456789 123456789 123456789 1234", "123456789 123456789 123456789 …")]
    public void Untrusted_text_becomes_one_line_without_control_characters(string said, string shown) =>
        Assert.Equal(shown, UntrustedText.ToLine(said, maxLength: 30));

    [Fact]
    public void A_problem_is_one_line_whatever_it_contains()
    {
        var problem = new Problem(ProblemCatalog.Registry, "Getting it failed: <html>\nSTOPPING=1\n\u001b[0m.", "Try\nagain.");

        Assert.Equal("Getting it failed: <html> STOPPING=1 ␛[0m. Try again.", problem.ToString());
    }

    [Fact]
    public async Task The_status_line_for_systemd_is_one_line()
    {
        await using var app = new SupervisorFixture();
        var systemd = new FakeSystemdNotifier();
        app.Board.Publish(Sample.StateWithoutContainer with { Front = new ContainerState.Probing(Sample.Container(), Moment.Zero, ProbeKind.Startup, new ProbeSchedule(Moment.Zero, null), "said\nSTOPPING=1", Adopted: false) });
        using var output = new AgentLogging(OutputKind.Plain, TextWriter.Null);
        using var line = new StatusLine(app.Board, Sample.DefaultPolicy, systemd, output.Sink);

        await line.StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal("STATUS=The app is starting: said STOPPING=1.", await systemd.NextNotificationAsync());
        await line.StopAsync(TestContext.Current.CancellationToken);
    }
}
