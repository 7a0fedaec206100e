using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Common;
using RagAgent.IntegrationTests.Support;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The state file on a real disk that is full or read-only.</summary>
public sealed class StateDiskTests : IAsyncLifetime
{
    private static readonly PersistedState Before = new([new ImageName("registry/app", "sha256:aa")], null, null, []);
    private static readonly PersistedState After = Before with { Runs = [new Run("0123456789abcdef", "2026-01-01T00:00:00Z")] };

    private readonly string _disk = Directory.CreateTempSubdirectory("ragagent-disk.").FullName;
    private StateFile _file = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await MountAsync("-t", "tmpfs", "-o", "size=64k", "tmpfs", _disk);
        _file = new StateFile(_disk, new AgentClock(TimeProvider.System), NullLogger<StateFile>.Instance);
        await _file.SaveAsync(Before, TestCancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await ProcessRunner.RunAsync("umount", [_disk]);
        Directory.Delete(_disk);
    }

    [Fact]
    public async Task Saving_state_on_a_full_disk_fails_with_the_reason_and_keeps_the_old_state()
    {
        var rest = Path.Combine(_disk, "rest");
        await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(rest, new byte[128 << 10], TestCancellation));

        var refused = await Assert.ThrowsAsync<ProblemException>(() => _file.SaveAsync(After, TestCancellation));

        Assert.Equal(("state-unwritable", $"The persisted state {_disk}/state.json can't be written: the disk is full."), (refused.Problem.Code, refused.Problem.What));
        Assert.Equal(Before, _file.Load());
        File.Delete(rest);
        await _file.SaveAsync(After, TestCancellation);
        Assert.Equal(After, _file.Load());
    }

    [Fact]
    public async Task Saving_state_on_a_read_only_disk_fails_with_the_reason_and_reading_works()
    {
        await MountAsync("-o", "remount,ro", _disk);

        var refused = await Assert.ThrowsAsync<ProblemException>(() => _file.SaveAsync(After, TestCancellation));

        Assert.Equal(
            ("state-unwritable", $"The persisted state {_disk}/state.json can't be written: its file system is read-only."),
            (refused.Problem.Code, refused.Problem.What));
        Assert.Equal(Before, _file.Load());
    }

    [Fact]
    public async Task Broken_state_on_a_read_only_disk_is_ignored_and_kept()
    {
        await File.WriteAllTextAsync(Path.Combine(_disk, "state.json"), "broken", TestCancellation);
        await MountAsync("-o", "remount,ro", _disk);

        Assert.Null(_file.Load());
        Assert.True(File.Exists(Path.Combine(_disk, "state.json")));
    }

    private static async Task MountAsync(params string[] arguments) =>
        (await ProcessRunner.RunAsync("mount", arguments, stopping: TestCancellation)).AssertSucceeded();
}
