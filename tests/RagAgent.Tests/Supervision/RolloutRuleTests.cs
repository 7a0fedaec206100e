using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which image a verdict is about, and what changes it.</summary>
public class RolloutRuleTests
{
    private static readonly ImageName Old = Sample.OldImage;
    private static readonly ImageName New = Sample.NewImage;
    private static readonly ImageName Newer = Sample.NewerImage;
    private static readonly ImageName Newest = Sample.NewestImage;

    private readonly Policy _policy = new() { ConfigFingerprint = ContainerStory.Config };

    [Fact]
    public void A_container_without_an_image_label_takes_no_image_off_its_trial() =>
        Assert.Equal(OnTrial(Newer, 2), ImageTrial.Begin(Known(OnTrial(Newer, 2), tag: Newer), null).Images.Verdict);

    [Fact]
    public void A_good_image_that_is_started_meanwhile_does_not_end_the_trial_of_the_newest() =>
        Assert.Equal(OnTrial(Newer, 4), ImageTrial.Begin(Known(OnTrial(Newer, 4), tag: Newer, Old), Old).Images.Verdict);

    [Fact]
    public void A_good_image_that_is_the_newest_again_ends_the_trial_of_another() =>
        Assert.Null(ImageTrial.Begin(Known(OnTrial(Newer, 4), tag: Old, Old), Old).Images.Verdict);

    [Fact]
    public void A_good_image_is_not_on_trial_when_it_is_started() =>
        Assert.Null(ImageTrial.Begin(Known(OnTrial(Newer, 4), tag: Newest, Newer), Newer).Images.Verdict);

    [Fact]
    public void An_unproven_image_that_runs_instead_of_an_avoided_one_leaves_its_verdict()
    {
        var avoided = new Verdict.Quarantined(Newer, Sample.Refused);
        Assert.Equal(avoided, ImageTrial.Begin(Known(avoided, tag: Newer), Old).Images.Verdict);
    }

    [Fact]
    public void The_newest_image_is_on_trial_whatever_is_known_of_an_avoided_one() =>
        Assert.Equal(OnTrial(Newest),
            ImageTrial.Begin(Known(new Verdict.Quarantined(Newer, Sample.Refused), tag: Newest), Newest).Images.Verdict);

    [Fact]
    public void An_unproven_image_that_replaces_one_on_trial_begins_a_trial_of_its_own() =>
        Assert.Equal(OnTrial(Old), ImageTrial.Begin(Known(OnTrial(Newer, 2), tag: Newer), Old).Images.Verdict);

    [Fact]
    public void A_crash_of_another_image_is_no_strike_against_the_one_on_trial() =>
        Assert.Equal(OnTrial(Newer, 2), Strike(Known(OnTrial(Newer, 2), tag: Newer, Old), Old).Images.Verdict);

    [Fact]
    public void A_crash_of_a_third_image_is_no_strike_against_the_one_that_was_brought_back()
    {
        var back = new Verdict.RolledBack(Newer, Sample.Refused, 0, 1, ByOperator: false, null);
        Assert.Equal(back, Strike(Known(back, tag: Newer, New), Old).Images.Verdict);
    }

    [Fact]
    public void An_avoided_image_that_still_serves_is_not_watched() =>
        Assert.False(Watch.Covers(Known(new Verdict.Quarantined(Newer, Sample.Refused), tag: Newer, New), Serving(Newer), _policy));

    [Fact]
    public void Of_two_good_images_only_the_older_one_has_to_prove_itself_again()
    {
        var state = Known(null, tag: Newer, New, Old);
        Assert.False(Watch.Covers(state, Serving(New), _policy));
        Assert.True(Watch.Covers(state, Serving(Old), _policy));
    }

    [Fact]
    public void An_image_that_serves_well_does_not_end_the_trial_of_another()
    {
        var state = ImageTrial.PassWatch(Known(OnTrial(Newer, 2), tag: Newer), Old);
        Assert.Equal(OnTrial(Newer, 2), state.Images.Verdict);
    }

    [Fact]
    public void An_image_that_was_set_aside_is_no_longer_a_good_one_to_go_back_to()
    {
        var back = new Verdict.RolledBack(Newer, Sample.Refused, 0, 1, ByOperator: true, null);
        Assert.Equal([Old], ImageTrial.PassWatch(Known(back, tag: Newer, Newer, Old), Old).Images.KnownGood);
    }

    [Fact]
    public void Of_the_good_images_before_it_a_new_one_keeps_the_newest() =>
        Assert.Equal([Newer, New], ImageTrial.PassWatch(Known(OnTrial(Newer), tag: Newer, New, Old), Newer).Images.KnownGood);

    [Fact]
    public void Old_images_are_removed_when_another_image_proves_itself_and_not_the_newest_good_one()
    {
        var state = Known(null, tag: New, New, Old);
        Assert.IsType<FetchState.Idle>(ImageTrial.PassWatch(state, New).Images.Cleanup.State);
        Assert.IsType<FetchState.Wanted>(ImageTrial.PassWatch(state, Old).Images.Cleanup.State);
    }

    [Fact]
    public void An_image_that_makes_room_for_another_is_kept_as_good_where_nothing_is() =>
        Assert.Equal([New], ImageTrial.KeepOutgoingAsGood(Known(null, tag: Newer), New, Newer).Images.KnownGood);

    [Fact]
    public void An_image_that_failed_its_trial_does_not_keep_another_from_being_kept() =>
        Assert.Equal(
            [New],
            ImageTrial.KeepOutgoingAsGood(Known(OnTrial(Newer, ImageTrial.MaxStrikes), tag: Newer), New, Newer).Images.KnownGood);

    [Fact]
    public void An_image_whose_container_is_only_replaced_is_not_good_for_that() =>
        Assert.Empty(ImageTrial.KeepOutgoingAsGood(Known(null, tag: New), New, New).Images.KnownGood);

    [Fact]
    public void A_container_without_an_image_label_leaves_nothing_to_go_back_to() =>
        Assert.Empty(ImageTrial.KeepOutgoingAsGood(Known(null, tag: New), null, New).Images.KnownGood);

    [Fact]
    public void An_avoided_image_that_makes_room_is_not_kept_as_good() =>
        Assert.Empty(ImageTrial.KeepOutgoingAsGood(Known(new Verdict.Quarantined(New, Sample.Refused), tag: Newer), New,
            Newer).Images.KnownGood);

    [Fact]
    public void A_second_good_image_is_run_when_the_first_one_is_lost()
    {
        var avoided = new Verdict.Quarantined(Newer, Sample.Refused);
        var state = ImageTrial.DropGood(Known(avoided, tag: Newer, New, Old), New);
        Assert.Equal([Old], state.Images.KnownGood);
        Assert.Equal(avoided, state.Images.Verdict);
    }

    [Fact]
    public void The_strikes_of_an_image_on_trial_stay_when_the_last_good_one_is_lost() =>
        Assert.Equal(OnTrial(Newer, 4), ImageTrial.DropGood(Known(OnTrial(Newer, 4), tag: Newer, New), New).Images.Verdict);

    [Fact]
    public void An_avoided_image_is_tried_again_when_the_last_good_one_is_lost() =>
        Assert.Equal(OnTrial(Newer),
            ImageTrial.DropGood(Known(new Verdict.Quarantined(Newer, Sample.Refused), tag: Newer, New), New).Images.Verdict);

    [Fact]
    public void A_trial_is_called_off_when_the_tag_is_back_at_what_serves() =>
        Assert.Null(DropStale(OnTrial(Newer, 2), tag: New, serving: New));

    [Fact]
    public void A_trial_is_called_off_when_the_tag_has_moved_on_and_nothing_of_it_runs() =>
        Assert.Null(DropStale(OnTrial(Newer, 2), tag: Newest, serving: New));

    [Fact]
    public void A_trial_goes_on_while_its_image_is_the_newest() =>
        Assert.Equal(OnTrial(Newer, 2), DropStale(OnTrial(Newer, 2), tag: Newer, serving: New));

    [Fact]
    public void A_trial_goes_on_while_its_image_serves() =>
        Assert.Equal(OnTrial(Newer, 2), DropStale(OnTrial(Newer, 2), tag: Newest, serving: Newer));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_trial_goes_on_while_its_image_runs_as_a_candidate(bool isStarting)
    {
        ContainerState candidate = isStarting
            ? new ContainerState.Starting(1, Sample.Release(Newer), Moment.Zero)
            : new ContainerState.Draining(1, Sample.RunningContainer("candidate", Sample.Release(Newer)));
        Assert.Equal(OnTrial(Newer, 2), DropStale(OnTrial(Newer, 2), tag: New, serving: New, candidate));
    }

    [Fact]
    public void A_trial_is_called_off_although_a_candidate_with_another_image_is_being_started() =>
        Assert.Null(DropStale(OnTrial(Newer, 2), tag: Newest, serving: New,
            new ContainerState.Starting(1, Sample.Release(Newest), Moment.Zero)));

    [Fact]
    public void A_verdict_on_an_image_that_the_tag_left_is_dropped_once_the_newest_serves() =>
        Assert.Null(DropStale(new Verdict.Quarantined(Newer, Sample.Refused), tag: New, serving: New));

    [Fact]
    public void A_verdict_on_an_image_that_the_tag_left_stays_until_the_newest_serves()
    {
        var verdict = new Verdict.Quarantined(Newer, Sample.Refused);
        Assert.Equal(verdict, DropStale(verdict, tag: Newest, serving: New));
    }

    private static Verdict.OnTrial OnTrial(ImageName image, int strikes = 0) => new(image, strikes, 1);

    private static AgentState Known(Verdict? verdict, ImageName? tag, params ImageName[] good) => new()
    {
        Front = new ContainerState.Absent(),
        Tag = tag is null ? Fetched<Resolution>.Wanted : Sample.Loaded(Sample.ResolutionOf(tag)),
        Images = new ImageHistory { Verdict = verdict, KnownGood = [.. good] },
    };

    private static ContainerState.Serving Serving(ImageName image) =>
        new(Sample.RunningContainer("front", Sample.Release(image)), Moment.Zero, 0, new ProbeSchedule(Moment.Zero, null), null);

    private static AgentState Strike(AgentState state, ImageName image) =>
        ImageTrial.Strike(state, image, ProblemCatalog.AppExited.ImageBlame, Sample.Refused, null);

    private Verdict? DropStale(Verdict verdict, ImageName tag, ImageName serving, ContainerState? candidate = null)
    {
        var state = Known(verdict, tag) with { Front = Serving(serving), Candidate = candidate };
        return ImageTrial.DropStaleVerdict(state, _policy).Images.Verdict;
    }
}
