using RagAgent.Cli;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.Tests.Cli;

public class TryVerdictTests
{
    private static readonly ContainerExit Exit3 = new(3, OutOfMemory: false, "", []);

    [Fact]
    public void A_page_that_works_is_neither_an_error_nor_a_doubt() =>
        AssertVerdict(
            new TryVerdict.Works(TimeSpan.FromSeconds(5.6)), "app:1 works: its page was complete after 6s.", certain: false, doubtful: false);

    [Fact]
    public void An_app_that_is_not_Streamlits_passes_if_it_answers() =>
        AssertVerdict(
            new TryVerdict.Answers(TimeSpan.FromSeconds(2)),
            "app:1 answers after 2s. Its script was not run: it doesn't speak Streamlit's protocol.",
            certain: false,
            doubtful: false);

    [Fact]
    public void A_missing_module_is_certainly_the_images_fault() =>
        AssertVerdict(
            new TryVerdict.Broken("ModuleNotFoundError: No module named 'x'", IsOfTheImage: true),
            "app:1 fails when its page is opened: ModuleNotFoundError: No module named 'x'.",
            certain: true,
            doubtful: false);

    [Fact]
    public void A_process_that_ends_is_certainly_the_images_fault() =>
        AssertVerdict(new TryVerdict.Died(Exit3), "The app of app:1 exited with code 3.", certain: true, doubtful: false);

    [Fact]
    public void A_process_that_runs_out_of_memory_is_certainly_the_images_fault() =>
        AssertVerdict(
            new TryVerdict.Died(Exit3 with { OutOfMemory = true }),
            "The app of app:1 was killed because it ran out of memory.",
            certain: true,
            doubtful: false);

    [Fact]
    public void A_missing_key_may_be_there_elsewhere() =>
        AssertVerdict(
            new TryVerdict.Broken("KeyError: 'OPENAI_API_KEY'", IsOfTheImage: false),
            "app:1 fails when its page is opened: KeyError: 'OPENAI_API_KEY'.",
            certain: false,
            doubtful: true);

    [Fact]
    public void An_app_that_never_answers_may_wait_for_its_data() =>
        AssertVerdict(
            new TryVerdict.NotReady("/_stcore/health did not answer within 5s"),
            "app:1 does not become ready: /_stcore/health did not answer within 5s.",
            certain: false,
            doubtful: true);

    private static void AssertVerdict(TryVerdict verdict, string sentence, bool certain, bool doubtful) =>
        Assert.Equal((sentence, certain, doubtful), (verdict.Describe("app:1"), verdict.IsCertain, verdict.IsDoubtful));
}
