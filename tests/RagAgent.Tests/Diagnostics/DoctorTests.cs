using RagAgent.Aws;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Supervision;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>What each check says of what it found, and how the doctor puts them together.</summary>
public sealed class DoctorTests
{
    private static readonly Problem NoCredentials = new("imds-no-role", "The instance has no IAM role yet.", "Attach one.");

    [Fact]
    public async Task They_are_told_in_their_order_and_what_fails_for_the_same_reason_is_told_once()
    {
        var doctor = new Doctor(
            [
                new Fixed("engine", () => CheckResult.Well("It answers.")),
                new Fixed("credentials", () => throw new ProblemException(NoCredentials)),
                new Fixed("secrets", () => throw new ProblemException(NoCredentials)),
                new Fixed("disk", () => throw new ProblemException(Told.Trouble)),
                new Fixed("port", () => throw new InvalidOperationException("It broke")),
            ], TimeProvider.System);

        Assert.Equal(
            [
                ("engine", CheckResult.Well("It answers.")),
                ("credentials", new CheckResult(Finding.Failed, "The instance has no IAM role yet.", "Attach one.", "imds-no-role")),
                ("secrets", CheckResult.Skipped("Not known, for the reason that credentials has.")),
                ("disk", new CheckResult(Finding.Failed, "It went wrong.", "Do this.", "trouble")),
                ("port", CheckResult.Failed(Problems.From(new InvalidOperationException("It broke")))),
            ], await doctor.ExamineAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("", "", "", "", Finding.Skipped, "No systemd runs here")]
    [InlineData("not-found", "", "inactive", "inactive", Finding.Skipped, "It is not installed here")]
    [InlineData("masked", "masked", "inactive", "active", Finding.Failed, "is masked")]
    [InlineData("loaded", "disabled", "active", "active", Finding.Failed, "does not start at boot")]
    [InlineData("loaded", "enabled", "failed", "active", Finding.Failed, "has failed")]
    [InlineData("loaded", "enabled", "active", "inactive", Finding.Warning, "visitors are refused while the agent restarts")]
    [InlineData("loaded", "enabled", "activating", "active", Finding.Well, "runs and starts at boot")]
    [InlineData("loaded", "enabled", "active", "active", Finding.Well, "runs and starts at boot")]
    [InlineData("loaded", "enabled", "inactive", "active", Finding.Warning, "does not run now")]
    [InlineData("loaded", "enabled", "activating\nSubState=auto-restart", "active", Finding.Failed, "ends again and again (exit-code, exit code 78)")]
    internal void The_service_is_judged_by_what_systemd_says(string load, string file, string active, string socket, Finding finding, string what)
    {
        var service = load.Length == 0 ? null : Systemd.Parse($"LoadState={load}\nUnitFileState={file}\nActiveState={active}\nResult=exit-code\nExecMainStatus=78\n");
        var result = UnitCheck.Judge(service, Systemd.Parse($"ActiveState={socket}\n"));
        Assert.Equal(finding, result.Finding);
        Assert.Contains(what, result.What, StringComparison.Ordinal);
        Assert.Equal(finding is Finding.Failed or Finding.Warning, result.Remedy is not null);
    }

    [Theory]
    [InlineData(null, Finding.Well)]
    [InlineData(0, Finding.Well)]
    [InlineData(29, Finding.Well)]
    [InlineData(-31, Finding.Warning)]
    [InlineData(299, Finding.Warning)]
    [InlineData(301, Finding.Failed)]
    [InlineData(-3600, Finding.Failed)]
    internal void A_clock_that_aws_would_not_accept_is_a_failure(int? ahead, Finding finding)
    {
        var result = EndpointsCheck.Judge("aws", ahead is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        Assert.Equal(finding, result.Finding);
        if (finding == Finding.Failed)
        {
            Assert.Contains(ahead > 0 ? "behind" : "ahead of", result.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_app_that_serves_is_well_and_one_that_does_not_is_not()
    {
        var serving = Status("serving");
        Assert.Equal(Finding.Well, AgentCheck.Judge(serving).Finding);
        Assert.Equal(CheckResult.Warning("So it is. It went wrong. That, too.", "Do this."), AgentCheck.Judge(serving with
        {
            Problems = [new ProblemStatus("trouble", "It went wrong.", "Do this.", null), new ProblemStatus("more", "That, too.", "Do this.", null), new ProblemStatus("told", "So it is.", "Do this.", null)],
        }));
        Assert.Equal(CheckResult.Warning("So it is.", "Push a better one."), AgentCheck.Judge(serving with
        {
            Rollout = serving.Rollout with { SetAside = new SetAsideStatus("sha256:1", "quarantined", new ProblemStatus("app-exited", "It exited.", "Push a better one.", null)) },
        }));
        Assert.Equal(Finding.Failed, AgentCheck.Judge(serving with { FrontDoor = new FrontDoorStatus(80, false) }).Finding);
        Assert.Equal(Finding.Failed, AgentCheck.Judge(Status("backoff")).Finding);
        Assert.Equal(Finding.Warning, AgentCheck.Judge(Status("starting")).Finding);
        Assert.Equal("ragagent start", AgentCheck.Judge(Status("stopped", "operator")).Remedy);
    }

    private static StatusDocument Status(string state, string? stoppedBy = null) => new(
        "1", 1, "So it is.", new AppStatus(state, null, null, null, null, null, 0, false, 0, null, stoppedBy), new ImageStatus(null, null, null, null, null, null),
        new SecretsStatus([], null), new EngineStatus(null, true), new FrontDoorStatus(80, true), new UpdateStatus(null, null), new RolloutStatus("settled", null, null, [], null), null, []);

    private sealed class Fixed(string name, Func<CheckResult> result) : ICheck
    {
        public string Name => name;

        public Task<CheckResult> RunAsync(CancellationToken stopping) => Task.FromResult(result());
    }
}
