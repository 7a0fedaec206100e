using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What people read about a container that ended or was never well.</summary>
public class ContainerEndTests
{
    private const string Output = "Its output is in the journal.";

    private static readonly Container App = Sample.RunningContainer("container-1", Sample.Release(Sample.NewImage));

    [Theory]
    [InlineData(0, "exited with code 0")]
    [InlineData(1, "exited with code 1")]
    [InlineData(97, "did not receive its secrets")]
    [InlineData(98, "exited with code 98")]
    [InlineData(128, "exited with code 128")]
    [InlineData(129, "was ended by signal 1")]
    [InlineData(137, "was ended by signal 9")]
    [InlineData(192, "was ended by signal 64")]
    [InlineData(193, "exited with code 193")]
    [InlineData(255, "exited with code 255")]
    public void An_exit_code_above_128_names_the_signal(int code, string words) => Assert.Equal(words, Exit(code).Describe());

    [Fact]
    public void A_container_that_the_engine_could_not_run_is_described_in_the_engines_words() =>
        Assert.Equal("could not run: ?", (Exit(127) with { Error = "?" }).Describe());

    [Fact]
    public void Running_out_of_memory_explains_an_exit_better_than_its_code()
    {
        var exit = Exit(137) with { OutOfMemory = true, Error = "killed" };

        Assert.Equal("was killed because it ran out of memory", exit.Describe());
        Assert.Equal("Raise container.memory, or use a larger instance.", ContainerProblems.Exited(App, exit).Remedy);
    }

    [Theory]
    [InlineData(1, "app-exited")]
    [InlineData(97, "secrets-not-delivered")]
    [InlineData(98, "app-exited")]
    public void An_app_without_its_secrets_has_its_own_problem_code(int code, string problem) =>
        Assert.Equal(problem, ContainerProblems.Exited(App, Exit(code)).Code);

    [Fact]
    public void An_app_without_its_secrets_was_started_by_someone_else() =>
        Assert.Equal(
            "It was started without the agent, and only the agent hands over the secrets.",
            ContainerProblems.Exited(App, Exit(97)).Remedy);

    [Theory]
    [InlineData(134)]
    [InlineData(136)]
    [InlineData(139)]
    public void An_abort_a_division_by_zero_and_a_segmentation_fault_are_crashes_of_native_code(int code) =>
        Assert.Equal("It crashed inside native code. " + Output, ContainerProblems.Exited(App, Exit(code)).Remedy);

    [Theory]
    [InlineData(126)]
    [InlineData(127)]
    public void A_command_that_cannot_be_run_or_found_points_to_the_images_entry_point(int code) =>
        Assert.Equal("Its command can't be run: check the image's ENTRYPOINT and CMD.", ContainerProblems.Exited(App, Exit(code)).Remedy);

    [Theory]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(128)]
    [InlineData(133)]
    [InlineData(135)]
    [InlineData(137)]
    [InlineData(140)]
    public void Any_other_exit_is_explained_by_the_output_alone(int code) =>
        Assert.Equal(Output, ContainerProblems.Exited(App, Exit(code)).Remedy);

    [Fact]
    public void A_container_that_ended_with_the_engine_says_how_it_ended() =>
        Assert.Equal("The app's container ragstream was ended by signal 15 while Docker Engine itself was down.", ContainerProblems.EndedWithEngine(App, Exit(143)).What);

    [Fact]
    public void An_image_that_failed_under_an_earlier_agent_is_named_by_the_start_of_its_digest() =>
        Assert.Contains(
            " sha256:0123456789ab ",
            ContainerProblems.FailedBefore(new ImageName(Sample.Repository, "sha256:0123456789abcdef")).What,
            StringComparison.Ordinal);

    [Fact]
    public void A_missed_deadline_names_the_deadline_and_the_last_error()
    {
        var problem = ContainerProblems.NeverHealthy(App, new StopReason.NeverHealthy(TimeSpan.FromMinutes(10), "connection refused"));

        Assert.Equal("The app's container ragstream was not ready within 10m of its start: connection refused.", problem.What);
        Assert.Equal(
            "Check that it listens on container.port, and raise health.startup.deadline if it needs longer. " + Output,
            problem.Remedy);
    }

    [Fact]
    public void A_missed_deadline_without_a_probe_names_no_error()
    {
        var problem = ContainerProblems.NeverHealthy(App, new StopReason.NeverHealthy(TimeSpan.FromMinutes(10), null));

        Assert.Equal("The app's container ragstream was not ready within 10m of its start.", problem.What);
        Assert.StartsWith("Check that it listens on container.port", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_advice_for_an_app_that_answers_404_is_to_correct_the_path() =>
        Assert.StartsWith(
            "It listens but has no such page: correct health.startup.path",
            ContainerProblems.NeverHealthy(App, new StopReason.NeverHealthy(TimeSpan.FromMinutes(10), "/ answered 404") { HttpStatus = 404 }).Remedy,
            StringComparison.Ordinal);

    private static ContainerExit Exit(int code) => new(code, OutOfMemory: false, "", []);
}
