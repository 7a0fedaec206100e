using RagAgent.Aws;
using RagAgent.Common;
using RagAgent.Control.Checks;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Reporting;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>What checks report, and how the doctor combines them.</summary>
public sealed class DoctorReportTests
{
    private static readonly Problem NoCredentials = new(ProblemCatalog.ImdsNoRole, "The instance has no IAM role yet.", "Attach one.");

    [Fact]
    public async Task Results_keep_their_order_and_a_repeated_failure_is_reported_as_skipped()
    {
        var doctor = new Doctor(
            [
                new FixedCheck("engine", () => CheckResult.Ok("It answers.")),
                new FixedCheck("credentials", () => throw new ProblemException(NoCredentials)),
                new FixedCheck("secrets", () => throw new ProblemException(NoCredentials)),
                new FixedCheck("disk", () => throw new ProblemException(Sample.AnyProblem)),
                new FixedCheck("port", () => throw new InvalidOperationException("It broke")),
            ], TimeProvider.System);

        Assert.Equal(
            [
                ("engine", CheckResult.Ok("It answers.")),
                ("credentials", new CheckResult(CheckOutcome.Failed, "The instance has no IAM role yet.", "Attach one.", "imds-no-role")),
                ("secrets", CheckResult.Skipped("Not checked, for the same reason as credentials.")),
                ("disk", new CheckResult(CheckOutcome.Failed, "It went wrong.", "Do this.", "trouble")),
                ("port", CheckResult.Of(ExceptionMapping.ToProblem(new InvalidOperationException("It broke")))),
            ], await doctor.RunAllAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("", "", "", "", CheckOutcome.Skipped, "systemd doesn't run here")]
    [InlineData("not-found", "", "inactive", "inactive", CheckOutcome.Skipped, "It is not installed here")]
    [InlineData("masked", "masked", "inactive", "active", CheckOutcome.Failed, "is masked")]
    [InlineData("loaded", "disabled", "active", "active", CheckOutcome.Failed, "does not start at boot")]
    [InlineData("loaded", "enabled", "failed", "active", CheckOutcome.Failed, "has failed")]
    [InlineData("loaded", "enabled", "active", "inactive", CheckOutcome.Warning, "connections are refused while the agent restarts")]
    [InlineData("loaded", "enabled", "activating", "active", CheckOutcome.Ok, "is running and starts at boot")]
    [InlineData("loaded", "enabled", "active", "active", CheckOutcome.Ok, "is running and starts at boot")]
    [InlineData("loaded", "enabled", "inactive", "active", CheckOutcome.Warning, "is not running now")]
    [InlineData("loaded", "enabled", "activating\nSubState=auto-restart", "active", CheckOutcome.Failed, "keeps exiting (exit-code, exit code 78)")]
    internal void The_service_check_judges_systemds_properties(
        string load, string file, string active, string socket, CheckOutcome outcome, string what)
    {
        var service = load.Length == 0
            ? null
            : Systemctl.ParseProperties(
                $"LoadState={load}\nUnitFileState={file}\nActiveState={active}\nResult=exit-code\nExecMainStatus=78\n");
        var result = SystemdUnitCheck.Evaluate(service, Systemctl.ParseProperties($"ActiveState={socket}\n"));
        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(what, result.What, StringComparison.Ordinal);
        Assert.Equal(outcome is CheckOutcome.Failed or CheckOutcome.Warning, result.Remedy is not null);
    }

    [Theory]
    [InlineData(null, CheckOutcome.Ok)]
    [InlineData(0, CheckOutcome.Ok)]
    [InlineData(29, CheckOutcome.Ok)]
    [InlineData(-31, CheckOutcome.Warning)]
    [InlineData(299, CheckOutcome.Warning)]
    [InlineData(301, CheckOutcome.Failed)]
    [InlineData(-3600, CheckOutcome.Failed)]
    internal void A_clock_that_AWS_would_not_accept_is_a_failure(int? ahead, CheckOutcome outcome)
    {
        var result = EndpointsCheck.Evaluate("aws", ahead is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        Assert.Equal(outcome, result.Outcome);
        if (outcome == CheckOutcome.Failed)
        {
            Assert.Contains(ahead > 0 ? "behind" : "ahead of", result.What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_app_check_judges_the_status_document()
    {
        var serving = Status("serving");
        Assert.Equal(CheckOutcome.Ok, AppCheck.Evaluate(serving).Outcome);
        Assert.Equal(CheckResult.Warning("So it is. It went wrong. That, too.", "Do this."), AppCheck.Evaluate(serving with
        {
            Problems =
            [
                new ProblemStatus("trouble", "It went wrong.", "Do this.", null),
                new ProblemStatus("more", "That, too.", "Do this.", null),
                new ProblemStatus("told", "So it is.", "Do this.", null),
            ],
        }));
        Assert.Equal(CheckResult.Warning("So it is.", "Push a better one."), AppCheck.Evaluate(serving with
        {
            Rollout = serving.Rollout with
            {
                SetAside = new SetAsideStatus(
                    "sha256:1", "quarantined", new ProblemStatus("app-exited", "It exited.", "Push a better one.", null)),
            },
        }));
        Assert.Equal(CheckOutcome.Failed, AppCheck.Evaluate(serving with { FrontDoor = new FrontDoorStatus(80, false) }).Outcome);
        Assert.Equal(CheckOutcome.Failed, AppCheck.Evaluate(Status("backoff")).Outcome);
        Assert.Equal(CheckOutcome.Warning, AppCheck.Evaluate(Status("starting")).Outcome);
        Assert.Equal("ragagent start", AppCheck.Evaluate(Status("stopped", "operator")).Remedy);
    }

    private static StatusDocument Status(string state, string? stoppedBy = null) => new(
        "1", 1, "So it is.",
        new AppStatus(state, null, null, null, null, null, 0, false, 0, null, stoppedBy),
        new ImageStatus(null, null, null, null, null, null),
        new SecretsStatus([], null), new EngineStatus(null, true), new FrontDoorStatus(80, true), new UpdateStatus(null, null),
        new RolloutStatus("settled", null, null, [], null), null, []);

    private sealed class FixedCheck(string name, Func<CheckResult> result) : ICheck
    {
        public string Name => name;

        public Task<CheckResult> RunAsync(CancellationToken stopping) => Task.FromResult(result());
    }
}
