using CsCheck;
using RagAgent.Images;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.Tests.Images;

public class PullTrackerTests
{
    private const string A = "aaaaaaaaaaaa";
    private const string B = "bbbbbbbbbbbb";

    private static readonly string?[] Ids = [A, B, "cccccccccccc", "latest", "", null];

    private static readonly string?[] Statuses =
    [
        "Pulling fs layer", "Waiting", "Downloading", "Downloading", "Verifying Checksum", "Download complete", "Extracting", "Extracting", "Pull complete",
        "Already exists", "Retrying in 5 seconds", "Preparing", "Digest: sha256:aa", "", null,
    ];

    private static readonly Gen<(string? Id, string? Status, long? Current, long? Total)> Messages = Gen.Select(
        Gen.OneOf(Ids), Gen.OneOf(Statuses), Gen.OneOf(Gen.Const((long?)null), Gen.Long[-5, 300].Select(n => (long?)n)),
        Gen.OneOf(Gen.Const((long?)null), Gen.Long[-1, 300].Select(n => (long?)n)));

    private readonly PullTracker _tracker = new(Sizes(100, 300));

    [Fact]
    public void Layers_are_weighted_by_their_bytes()
    {
        Assert.Equal(new PullProgress(0.7 * 50 / 400, 50, 400), _tracker.Observe(A, "Downloading", 50, 100));
        Assert.Equal(new PullProgress(0.7 * 200 / 400, 200, 400), _tracker.Observe(B, "Downloading", 150, 300));
    }

    [Fact]
    public void A_layer_that_is_already_on_disk_does_not_count()
    {
        Assert.Null(_tracker.Observe(B, "Already exists", null, null));
        Assert.Equal(100, _tracker.MissingBytes);
        Assert.Equal(new PullProgress(0.35, 50, 100), _tracker.Observe(A, "Downloading", 50, 100));
    }

    [Fact]
    public void The_pull_is_complete_when_all_layers_are()
    {
        _tracker.Observe(A, "Pull complete", null, null);

        Assert.Equal(new PullProgress(1, 400, 400), _tracker.Observe(B, "Pull complete", null, null));
    }

    [Fact]
    public void Without_a_total_the_size_in_the_manifest_counts() =>
        Assert.Equal(50, _tracker.Observe(A, "Downloading", 50, -1)?.DownloadedBytes);

    [Fact]
    public void Unpacking_progress_in_seconds_is_ignored()
    {
        var before = _tracker.Observe(A, "Download complete", null, null);

        Assert.Equal(before, _tracker.Observe(A, "Extracting", 17, null));
        Assert.Equal(before, _tracker.Observe(A, "Extracting", 170, 0));
        Assert.True(_tracker.IsExtracting);
    }

    [Fact]
    public void Unpacking_progress_in_bytes_counts_by_its_weight() =>
        Assert.Equal((0.7 * 100 / 400) + (0.3 * 50 / 400), _tracker.Observe(A, "Extracting", 500, 1000)!.Fraction, 12);

    [Fact]
    public void A_placeholder_of_one_byte_counts_as_one_byte() =>
        Assert.Equal(new PullProgress(0.7 * 1 / 400, 1, 400), _tracker.Observe(A, "Downloading", 1, 1));

    [Theory]
    [InlineData("Retrying in 5 seconds")]
    [InlineData("Waiting")]
    [InlineData("Pulling fs layer")]
    [InlineData("What engines will say one day")]
    public void Messages_without_progress_are_ignored(string status) => Assert.Null(_tracker.Observe(A, status, 1, 2));

    [Fact]
    public void Progress_does_not_go_back_after_a_retry_of_the_engine()
    {
        var before = _tracker.Observe(A, "Downloading", 90, 100);
        _tracker.Observe(A, "Retrying in 5 seconds", null, null);

        Assert.Equal(before, _tracker.Observe(A, "Downloading", 3, 100));
    }

    [Fact]
    public void A_late_message_changes_nothing()
    {
        var complete = _tracker.Observe(A, "Pull complete", null, null);

        Assert.Null(_tracker.Observe(A, "Downloading", 10, 100));
        Assert.Equal(complete, _tracker.Observe(A, "Extracting", 10, 100));
    }

    [Fact]
    public void A_layer_that_occurs_twice_in_the_image_counts_once()
    {
        Assert.Equal(100, _tracker.Observe(A, "Download complete", null, null)?.DownloadedBytes);
        Assert.Equal(100, _tracker.Observe(A, "Download complete", null, null)?.DownloadedBytes);
        Assert.Equal(400, _tracker.MissingBytes);
    }

    [Fact]
    public void A_layer_is_being_unpacked_from_its_download_until_it_is_complete()
    {
        Assert.False(_tracker.IsExtracting);
        _tracker.Observe(A, "Download complete", null, null);
        Assert.True(_tracker.IsExtracting);
        _tracker.Observe(A, "Pull complete", null, null);
        Assert.False(_tracker.IsExtracting);
    }

    [Fact]
    public void A_layer_that_waits_for_a_lower_one_is_not_being_unpacked()
    {
        _tracker.Observe(B, "Download complete", null, null);
        Assert.False(_tracker.IsExtracting);
        _tracker.Observe(A, "Already exists", null, null);
        Assert.True(_tracker.IsExtracting);
    }

    [Fact]
    public void The_fraction_only_grows_from_0_to_1_whatever_the_engine_sends() =>
        Messages.Array[0, 60].Sample(messages =>
        {
            var pull = new PullTracker(Sizes(100, 300));
            var shown = messages.Select(m => pull.Observe(m.Id, m.Status, m.Current, m.Total)).OfType<PullProgress>().ToArray();
            Assert.All(shown, p => Assert.InRange(p.Fraction, 0, 1));
            Assert.All(shown, p => Assert.InRange(p.DownloadedBytes, 1, p.TotalBytes));
            Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.True(pair.First.Fraction <= pair.Second.Fraction));
        }, iter: 5_000);

    [Fact]
    public void The_fraction_is_1_when_all_layers_are_complete_whatever_came_before() =>
        Messages.Where(m => m.Status != "Already exists").Array[0, 30].Sample(messages =>
        {
            var pull = new PullTracker(Sizes(100, 300));
            foreach (var message in messages)
            {
                pull.Observe(message.Id, message.Status, message.Current, message.Total);
            }
            pull.Observe(A, "Pull complete", null, null);
            Assert.Equal(new PullProgress(1, 400, 400), pull.Observe(B, "Pull complete", null, null));
        }, iter: 2_000);

    [Fact]
    public void Progress_stays_in_range_whatever_sizes_the_manifest_claims() =>
        Gen.Select(Gen.OneOf(0L, 1L, -1L, long.MinValue, long.MaxValue, 100L).Array[2], Messages.Array[0, 20]).Sample((sizes, messages) =>
        {
            var pull = new PullTracker(Sizes(sizes[0], sizes[1]));
            return messages.All(
                m => pull.Observe(m.Id, m.Status, m.Current, m.Total) is null or { Fraction: >= 0 and <= 1, Percent: >= 0 and <= 100 });
        }, iter: 2_000);

    private static Layer[] Sizes(long a, long b) => [new(Digest('a'), a), new(Digest('b'), b), new(Digest('a'), a)];

    private static string Digest(char digit) => "sha256:" + new string(digit, 64);
}
