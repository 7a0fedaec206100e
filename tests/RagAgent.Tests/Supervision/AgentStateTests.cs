using RagAgent.Common;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What the state holds at the start of a life, and what it knows of broken images and operations.</summary>
public class AgentStateTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_life_draws_its_delays_from_its_own_seed(bool hasNotes)
    {
        var state = AgentState.Begin(hasNotes ? PersistedState.Empty : null, seed: 42);
        Assert.Equal((42UL, !hasNotes), (state.Seed, state.HasNoHistory));
    }

    [Fact]
    public void A_front_that_holds_nothing_is_absent() =>
        Assert.IsType<ContainerState.Absent>(new AgentState().With(Slot.Front, null).Front);

    [Fact]
    public void An_image_that_is_missing_is_not_corrupt_because_another_one_is()
    {
        var state = new AgentState()
            .WithDefect(new ImageDefect(Sample.OldImage, IsCorrupt: true)).WithDefect(new ImageDefect(Sample.NewImage, IsCorrupt: false));
        Assert.Equal((true, false), (state.IsCorrupt(Sample.OldImage), state.IsCorrupt(Sample.NewImage)));
        Assert.True(state.IsDefective(Sample.NewImage));
    }

    [Fact]
    public void The_eight_newest_defects_are_remembered_each_image_once()
    {
        var state = Enumerable.Range(1, 9)
            .Aggregate(new AgentState(), (before, i) => before.WithDefect(new ImageDefect(Sample.Image($"{i}"), false)));
        Assert.Equal(Enumerable.Range(2, 8).Select(i => Sample.Image($"{i}")), state.Images.Defects.Select(defect => defect.Image));
        state = state.WithDefect(new ImageDefect(Sample.Image("5"), IsCorrupt: true));
        Assert.Equal(8, state.Images.Defects.Length);
        Assert.True(state.IsCorrupt(Sample.Image("5")));
    }

    [Fact]
    public void A_corrupt_image_that_was_removed_is_only_missing()
    {
        var state = new AgentState()
            .WithDefect(new ImageDefect(Sample.NewImage, IsCorrupt: true)).WithDefect(new ImageDefect(Sample.NewImage, IsCorrupt: false));

        Assert.False(state.IsCorrupt(Sample.NewImage));
    }

    [Fact]
    public void An_operation_that_is_over_belongs_to_no_slot()
    {
        var state = new AgentState { Candidate = new ContainerState.Starting(7, Sample.Release(Sample.NewImage), Moment.Zero) };
        Assert.Equal(Slot.Candidate, state.SlotOfOperation(7));
        Assert.Null(state.SlotOfOperation(6));
    }

    [Theory]
    [InlineData(0, "exited with code 0")]
    [InlineData(1, "exited with code 1")]
    public void An_exit_is_described_by_its_code(int code, string words) =>
        Assert.Equal(words, new ContainerExit(code, OutOfMemory: false, "", []).Describe());

    [Fact]
    public void The_progress_of_a_pull_is_shown_in_percent() => Assert.Equal(100, new PullProgress(1, 4, 4).Percent);

    [Fact]
    public void A_fingerprint_has_twelve_digits_and_tells_apart_what_joins_to_the_same_text()
    {
        Assert.Equal(12, Fingerprint.Of("a").Length);
        Assert.NotEqual(Fingerprint.Of("ab", "c"), Fingerprint.Of("a", "bc"));
        Assert.NotEqual(Fingerprint.Of("1", ":1:"), Fingerprint.Of("1:1:", ""));
    }
}
