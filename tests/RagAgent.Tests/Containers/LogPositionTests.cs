using CsCheck;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>A log is read in stretches; from the place of each the next one goes on, by itself and through the disk.</summary>
public class LogPositionTests
{
    private const long Second = 1_000_000_000;

    // Two streams overtake each other by less than the slack; now and then there is silence, and equal times are common.
    private static readonly Gen<long[]> Times =
        Gen.Select(Gen.OneOf(Gen.Long[0, 3], Gen.Long[0, Second / 3], Gen.Long[Second, 5 * Second]), Gen.OneOf(Gen.Const(0L), Gen.Long[0, Second / 2])).Array[0, 60]
            .Select(steps =>
            {
                var now = 1_000 * Second;
                return steps.Select(step => (now += step.Item1) - step.Item2).ToArray();
            });

    [Fact]
    public void No_message_is_lost_or_repeated_wherever_reading_stops_and_whichever_engine_sends() =>
        Gen.Select(Times, Gen.Int[0, 59].Array[0, 6], Gen.Bool).Sample((times, stops, oldEngine) =>
        {
            var read = new List<int>();
            var place = LogPosition.Start;
            foreach (var stop in stops.Order().Append(times.Length))
            {
                place = LogPositionFile.Parse(LogPositionFile.Format(Read(times[..Math.Min(stop, times.Length)], place, oldEngine, read)))!.Value;
            }
            Assert.Equal(Enumerable.Range(0, times.Length), read);
        });

    [Fact]
    public void The_engine_is_asked_only_for_the_last_seconds()
    {
        var place = LogPosition.Start;
        for (var at = 0L; at < 100 * Second; at += Second / 10)
        {
            place = place.Advance(1 + at, canMove: true);

            Assert.InRange(place.HandledSince, 0, 31);
            Assert.True(at < 3 * Second || at - place.Since < 3 * Second);
        }
    }

    [Fact]
    public void Inside_a_split_line_the_position_stays_before_its_start()
    {
        var place = LogPosition.Start;
        for (var i = 1; i <= 10; i++)
        {
            place = place.Advance(i * Second, canMove: true);
        }
        var before = place;
        for (var i = 11; i <= 20; i++)
        {
            place = place.Advance(i * Second, canMove: false);
        }

        Assert.Equal((before.Since, before.HandledSince + 10), (place.Since, place.HandledSince));
        Assert.InRange(place.Advance(21 * Second, canMove: true).Since, before.Since + 1, long.MaxValue);
    }

    [Fact]
    public void If_the_engine_deleted_the_first_message_only_newer_ones_count_and_a_gap_is_known()
    {
        var resumption = new LogReplayFilter(new LogPosition(10, 10, 3, 0, 12));

        Assert.True(resumption.IsReplay(11));
        Assert.True(resumption.HasGap);
        Assert.True(resumption.IsReplay(12));
        Assert.False(resumption.IsReplay(13));
        Assert.False(resumption.IsReplay(12));   // overtaken by a new one: new itself
    }

    [Fact]
    public void A_position_after_a_time_skips_all_earlier_messages()
    {
        var place = LogPosition.After(100);
        var resumption = new LogReplayFilter(place);

        Assert.Equal(101, place.Since);
        Assert.False(resumption.IsReplay(101));
        Assert.False(resumption.HasGap);
    }

    /// <summary>What the session does, without its text.</summary>
    private static LogPosition Read(long[] log, LogPosition place, bool oldEngine, List<int> read)
    {
        var resumption = new LogReplayFilter(place);
        var begun = false;
        for (var i = 0; i < log.Length; i++)
        {
            // Before version 23 each message is filtered by its time, later only until the first one passes.
            if (log[i] < place.Since && (oldEngine || !begun))
            {
                continue;
            }
            begun = true;
            if (!resumption.IsReplay(log[i]))
            {
                read.Add(i);
                place = place.Advance(log[i], canMove: true);
            }
        }
        return place;
    }
}
