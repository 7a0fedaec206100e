using Microsoft.Extensions.Time.Testing;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Storage;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>The timeline of a boot, and its file.</summary>
public sealed class BootTimelineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-boots-");
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _logMessages = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Each_milestone_counts_once_in_seconds_since_the_kernel_started()
    {
        var boot = CreateTimeline("boot-1", uptime: 6);
        Advance(boot, 1, BootMilestone.Credentials);
        Advance(boot, 1, BootMilestone.Credentials);
        Advance(boot, 2, BootMilestone.Healthy);
        Assert.Equal([(BootMilestone.Agent, 6.0), (BootMilestone.Credentials, 7.0), (BootMilestone.Healthy, 10.0)], Steps(boot.Current));
        Assert.Null(boot.Previous);
    }

    [Fact]
    public void An_agent_started_long_after_the_machine_measures_from_its_own_start()
    {
        var boot = CreateTimeline("boot-1", uptime: 55_000);
        Advance(boot, 2, BootMilestone.Healthy);

        Assert.Equal([(BootMilestone.Agent, 0.0), (BootMilestone.Healthy, 2.0)], Steps(boot.Current));
    }

    [Fact]
    public void A_milestone_after_the_app_has_served_does_not_count()
    {
        var boot = CreateTimeline("boot-1", uptime: 6);
        Advance(boot, 1, BootMilestone.Healthy);
        Advance(boot, 1, BootMilestone.Token);
        Assert.Equal([(BootMilestone.Agent, 6.0), (BootMilestone.Healthy, 7.0)], Steps(boot.Current));
    }

    [Fact]
    public void A_later_agent_does_not_change_a_completed_boot()
    {
        var first = CreateTimeline("boot-1", uptime: 6);
        Advance(first, 1, BootMilestone.Healthy);
        File().Write([first.Current]);
        var second = CreateTimeline("boot-1", uptime: 600);
        Advance(second, 1, BootMilestone.Healthy);
        Assert.Equal([(BootMilestone.Agent, 6.0), (BootMilestone.Healthy, 7.0)], Steps(second.Current));
        Assert.Null(second.Previous);
    }

    [Fact]
    public void A_later_agent_starts_an_incomplete_boot_over()
    {
        var first = CreateTimeline("boot-1", uptime: 6);
        Advance(first, 1, BootMilestone.Token);
        File().Write([first.Current]);
        var second = CreateTimeline("boot-1", uptime: 60);
        Assert.Equal([(BootMilestone.Agent, 60.0)], Steps(second.Current));
    }

    [Fact]
    public void Only_the_current_and_the_previous_boot_are_remembered()
    {
        foreach (var id in new[] { "boot-1", "boot-2" })
        {
            var boot = CreateTimeline(id, uptime: 6);
            Advance(boot, id == "boot-1" ? 1 : 2, BootMilestone.Healthy);
            File().Write(boot.Previous is { } previous ? [boot.Current, previous] : [boot.Current]);
        }
        var third = CreateTimeline("boot-3", uptime: 5);
        Assert.Equal([(BootMilestone.Agent, 6.0), (BootMilestone.Healthy, 8.0)], Steps(third.Previous!));
        Assert.Equal([(BootMilestone.Agent, 5.0)], Steps(third.Current));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{ "schema": 1 }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": null, "began": "2026-01-01T00:00:00Z", "steps": {} } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "x", "began": "2026-01-01T00:00:00Z", "steps": { "coffee": 3 } } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ null ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "x", "began": "2026-01-01T00:00:00Z", "steps": { "agent": 1e300 } } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "x", "began": "2026-01-01T00:00:00Z", "steps": { "agent": -1 } } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "x", "began": "2026-01-01T00:00:00Z", "steps": { "99": 1 } } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "\ud800", "began": "2026-01-01T00:00:00Z", "steps": {} } ] }""")]
    [InlineData("""{ "schema": 1, "boots": [ { "id": "x", "began": "2026-01-01T00:00:00Z", "steps": { "\ud800": 1 } } ] }""")]
    public void A_damaged_file_is_logged_and_ignored(string content)
    {
        System.IO.File.WriteAllText(Path.Combine(_folder.FullName, "boots.json"), content);
        Assert.Empty(File().Read());
        Assert.StartsWith(
            $"The timelines of earlier boots in {_folder.FullName}/boots.json can't be read: ",
            Assert.Single(_logMessages),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64 * 1024, 0)]
    [InlineData(64 * 1024 + 1, 1)]
    public void An_oversized_file_is_not_read(int size, int logged)
    {
        System.IO.File.WriteAllText(Path.Combine(_folder.FullName, "boots.json"), """{ "schema": 1, "boots": [] }""".PadRight(size));
        Assert.Empty(File().Read());
        Assert.Equal(logged, _logMessages.Count(line => line.Contains($"it is too large ({size} bytes)", StringComparison.Ordinal)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_pipe_in_its_place_does_not_block_and_is_replaced()
    {
        using var made = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(_folder.FullName, "boots.json")]);
        await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        var boot = await Task.Run(() => CreateTimeline("boot-1", uptime: 6), TestContext.Current.CancellationToken);
        Assert.Contains("it is a pipe, not a file", Assert.Single(_logMessages), StringComparison.Ordinal);
        File().Write([boot.Current]);
        Assert.Equal("boot-1", Assert.Single(File().Read()).Id);
    }

    [Fact]
    public void A_file_of_a_newer_agent_is_ignored()
    {
        System.IO.File.WriteAllText(Path.Combine(_folder.FullName, "boots.json"), """{ "schema": 2, "boots": [] }""");
        Assert.Empty(File().Read());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Milestones_are_derived_from_the_state_and_saved()
    {
        var stop = TestContext.Current.CancellationToken;
        var boot = Sample.FirstBoot(File());
        var feed = new StateFeed();
        using var recorder = new BootRecorder(boot, File(), feed);
        await recorder.StartAsync(stop);
        feed.Publish(
            Sample.StateWithoutContainer with
            {
                Secrets = Sample.Loaded(Sample.CurrentSecrets),
                Tag = Sample.Loaded(Sample.CurrentResolution),
                Image = Sample.Loaded(new FetchedImage(Sample.Digest, 0)),
                Front = Sample.Serving(),
            });
        while (File().Read() is not [{ IsComplete: true }])
        {
            await Task.Yield();
        }
        await recorder.StopAsync(stop);
        Assert.Equal(
            [
                BootMilestone.Agent, BootMilestone.Secret, BootMilestone.Digest, BootMilestone.Pull, BootMilestone.Start,
                BootMilestone.Healthy,
            ],
            Assert.Single(File().Read()).Steps.Keys.Order());
    }

    [Theory]
    [InlineData("12.34 56.78\n", 12.34)]
    [InlineData("", 0)]
    public void Uptime_is_read_from_the_kernel(string text, double seconds)
    {
        var file = Path.Combine(_folder.FullName, "uptime");
        System.IO.File.WriteAllText(file, text);
        Assert.Equal(TimeSpan.FromSeconds(seconds), BootTimeline.Uptime(file));
        Assert.Equal(TimeSpan.Zero, BootTimeline.Uptime(file + ".missing"));
    }

    private BootFile File() => new(_folder.FullName, new ListLogger<BootFile>(_logMessages));

    private BootTimeline CreateTimeline(string bootId, int uptime) => new(bootId, TimeSpan.FromSeconds(uptime), File(), _time);

    private void Advance(BootTimeline boot, int seconds, BootMilestone reached)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        boot.Reach(reached);
    }

    private static IEnumerable<(BootMilestone, double)> Steps(BootRecord boot) =>
        boot.Steps.OrderBy(step => step.Value).Select(step => (step.Key, step.Value.TotalSeconds));
}
