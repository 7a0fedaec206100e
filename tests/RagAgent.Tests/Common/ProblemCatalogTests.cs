using RagAgent.Common;
using RagAgent.Diagnostics.Checks;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Common;

/// <summary>Retries, rollbacks, exit codes and the doctor read the catalog, so what it says is pinned here.</summary>
public sealed class ProblemCatalogTests
{
    [Fact]
    public void Only_failures_that_another_image_might_not_have_count_against_the_image() =>
        Assert.Equal(
            [
                ("app-exited", 2), ("app-out-of-memory", 2), ("app-unhealthy", 3), ("app-never-healthy", 6),
                ("app-session-failed", 6),
                ("engine-user", 2), ("engine-refused", 2), ("image-without-shell", 2), ("secrets-folder-taken", 2),
            ], ProblemCatalog.All.Where(kind => kind.ImageBlame > 0).Select(kind => (kind.Code, kind.ImageBlame)));

    [Fact]
    public void Failures_of_a_running_app_are_distinguished_from_failed_starts() =>
        Assert.Equal(
            ["app-exited", "app-out-of-memory", "app-unhealthy", "app-never-healthy", "app-session-failed", "app-ended-with-engine"],
            ProblemCatalog.All.Where(kind => kind.IsAppFailure).Select(kind => kind.Code));

    [Theory]
    [InlineData("AfterInspection", "engine-unreachable", "engine-silent")]
    [InlineData("AfterFetch", "image-missing", "image-corrupt")]
    [InlineData("AfterCleanup", "disk-full")]
    public void Some_problems_require_a_step_before_the_next_try(string retry, params string[] codes) =>
        Assert.Equal(codes, ProblemCatalog.All.Where(kind => kind.Retry == Enum.Parse<ProblemRetry>(retry)).Select(kind => kind.Code));

    [Fact]
    public void Only_what_ends_a_command_has_an_exit_code_of_its_own() =>
        Assert.Equal(
            [
                ("not-running", ExitCodes.NotRunning), ("control-denied", ExitCodes.Denied),
                ("control-socket-name", ExitCodes.BadConfiguration),
                ("already-running", ExitCodes.AlreadyRunning), ("runtime-directory-taken", ExitCodes.AlreadyRunning),
            ], ProblemCatalog.All.Where(kind => kind.ExitCode != ExitCodes.Failed).Select(kind => (kind.Code, kind.ExitCode)));

    [Fact]
    public void An_outage_names_what_is_down() =>
        Assert.All(ProblemCatalog.All.Where(kind => kind.IsOutage), kind => Assert.NotEqual(Dependency.None, kind.DependsOn));

    [Fact]
    public void An_outage_is_the_same_for_everything_that_needs_what_is_down()
    {
        Assert.True(ProblemCatalog.EngineSilent.IsSameOutageAs(ProblemCatalog.EngineUnreachable));
        Assert.True(ProblemCatalog.ImdsNoRole.IsSameOutageAs(ProblemCatalog.ImdsNoRole));
        Assert.False(ProblemCatalog.ImdsSilent.IsSameOutageAs(ProblemCatalog.EngineSilent));
        Assert.False(ProblemCatalog.AwsDenied.IsSameOutageAs(ProblemCatalog.AwsDenied));
        Assert.False(ProblemCatalog.AwsDenied.IsSameOutageAs(ProblemCatalog.AwsCredentialsExpired));
    }

    [Fact]
    public void The_doctor_reports_a_problem_as_seriously_as_the_catalog()
    {
        Assert.Equal(CheckOutcome.Note, CheckResult.Of(new Problem(ProblemCatalog.NoLastGood, "None.")).Outcome);
        Assert.Equal(CheckOutcome.Warning, CheckResult.Of(new Problem(ProblemCatalog.DnsElsewhere, "There.")).Outcome);
        Assert.Equal(
            new CheckResult(CheckOutcome.Failed, "It is full.", ExceptionMapping.RetriesAutomatically, "disk-full"),
            CheckResult.Of(new Problem(ProblemCatalog.DiskFull, "It is full.")));
    }

    [Fact]
    public void A_code_of_another_version_gets_a_kind_without_data()
    {
        Assert.Same(ProblemCatalog.DiskFull, ProblemCatalog.Find("disk-full"));
        Assert.Equal(new ProblemKind("from-the-future"), ProblemCatalog.Find("from-the-future"));
        Assert.Equal(ProblemSeverity.Error, Sample.AnyProblem.Kind.Severity);
    }
}
