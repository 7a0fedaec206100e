using CsCheck;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>A log is read in pieces. Each piece continues from the saved position of the previous one.</summary>
public class LogPositionTests
{
    private const long Second = 1_000_000_000;

    // The two streams overtake each other by less than the reorder window. Silence occurs, and equal timestamps are common.
    private static readonly Gen<long[]> Times =
        Gen.Select(
            Gen.OneOf(Gen.Long[0, 3], Gen.Long[0, Second / 3], Gen.Long[Second, 5 * Second]),
            Gen.OneOf(Gen.Const(0L), Gen.Long[0, Second / 2])).Array[0, 60]
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
            var position = LogPosition.Start;
            foreach (var stop in stops.Order().Append(times.Length))
            {
                position = LogPositionFile.Parse(
                    LogPositionFile.Format(Read(times[..Math.Min(stop, times.Length)], position, oldEngine, read)))!.Value;
            }
            Assert.Equal(Enumerable.Range(0, times.Length), read);
        });

    [Fact]
    public void The_engine_is_asked_only_for_the_last_seconds()
    {
        var position = LogPosition.Start;
        for (var at = 0L; at < 100 * Second; at += Second / 10)
        {
            position = position.Advance(1 + at, canMove: true);

            Assert.InRange(position.HandledSince, 0, 31);
            Assert.True(at < 3 * Second || at - position.Since < 3 * Second);
        }
    }

    [Fact]
    public void Inside_a_split_line_the_position_stays_before_its_start()
    {
        var position = LogPosition.Start;
        for (var i = 1; i <= 10; i++)
        {
            position = position.Advance(i * Second, canMove: true);
        }
        var before = position;
        for (var i = 11; i <= 20; i++)
        {
            position = position.Advance(i * Second, canMove: false);
        }

        Assert.Equal((before.Since, before.HandledSince + 10), (position.Since, position.HandledSince));
        Assert.InRange(position.Advance(21 * Second, canMove: true).Since, before.Since + 1, long.MaxValue);
    }

    [Fact]
    public void If_the_engine_deleted_the_first_message_only_newer_ones_count_and_a_gap_is_known()
    {
        var filter = new LogReplayFilter(new LogPosition(10, 10, 3, 0, 12));

        Assert.True(filter.IsReplay(11));
        Assert.True(filter.HasGap);
        Assert.True(filter.IsReplay(12));
        Assert.False(filter.IsReplay(13));
        Assert.False(filter.IsReplay(12));   // a new message overtook it, so it is new too
    }

    [Fact]
    public void A_position_after_a_time_skips_all_earlier_messages()
    {
        var position = LogPosition.After(100);
        var filter = new LogReplayFilter(position);

        Assert.Equal(101, position.Since);
        Assert.False(filter.IsReplay(101));
        Assert.False(filter.HasGap);
    }

    /// <summary>What the stream processor does, without texts.</summary>
    private static LogPosition Read(long[] log, LogPosition position, bool oldEngine, List<int> read)
    {
        var filter = new LogReplayFilter(position);
        var started = false;
        for (var i = 0; i < log.Length; i++)
        {
            // Engines before version 23 filter every message by its timestamp, later ones only until the first match.
            if (log[i] < position.Since && (oldEngine || !started))
            {
                continue;
            }
            started = true;
            if (!filter.IsReplay(log[i]))
            {
                read.Add(i);
                position = position.Advance(log[i], canMove: true);
            }
        }
        return position;
    }
}
