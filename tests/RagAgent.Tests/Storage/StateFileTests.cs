using CsCheck;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Storage;

public sealed class StateFileTests : IDisposable
{
    private readonly StateDirectoryFixture _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Before_the_first_write_there_is_no_state_and_no_log_line()
    {
        Assert.Null(_directory.Read());
        Directory.CreateDirectory(_directory.Folder);
        Assert.Null(_directory.Read());
        Assert.Empty(_directory.LogMessages);
    }

    [Fact]
    public Task Any_state_survives_a_round_trip() => StateGenerator.Any.SampleAsync(async state =>
    {
        await _directory.WriteAsync(state, TestCancellation);
        Assert.Equal(state, _directory.Read());
    }, iter: 200, threads: 1);

    [Fact]
    public async Task The_file_is_readable_JSON()
    {
        await _directory.WriteAsync(StateGenerator.Complete, TestCancellation);

        var text = await File.ReadAllTextAsync(_directory.File, TestCancellation);
        Assert.Matches("\"checksum\": \"sha256:[0-9a-f]{64}\"", text);
        Assert.Equal(
            """
              "memory": {
                "good": [
                  {
                    "repository": "registry/app",
                    "digest": "sha256:aa"
                  },
                  {
                    "repository": "registry/app",
                    "digest": "sha256:bb"
                  }
                ],
                "verdict": {
                  "kind": "rolled-back",
                  "image": {
                    "repository": "registry/app",
                    "digest": "sha256:cc"
                  },
                  "why": {
                    "code": "app-exited",
                    "what": "The app's container 'ragstream' exited with code 3.",
                    "remedy": "See its last lines."
                  },
                  "strikes": 1,
                  "round": 2,
                  "asked": true,
                  "under": "config-1/v1"
                },
                "hold": {
                  "by": "operator",
                  "bootId": "11111111-1111-1111-1111-111111111111"
                },
                "runs": [
                  {
                    "container": "0123456789abcdef",
                    "startedAt": "2026-01-01T00:00:00Z"
                  }
                ],
                "updateWaitsSince": "1999-12-31T23:55:00+00:00"
              }
            }

            """, text[text.IndexOf("  \"memory\"", StringComparison.Ordinal)..]);
        Assert.StartsWith("{\n  \"schema\": 1,\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_its_owner_may_read_the_file()
    {
        await _directory.WriteAsync(StateGenerator.Complete, TestCancellation);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory.File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory.Folder));
    }

    [Fact]
    public async Task Only_a_hold_ends_when_the_machine_reboots()
    {
        await _directory.WriteAsync(StateGenerator.Complete, TestCancellation);
        Assert.Equal(StopHold.Operator, _directory.Read()!.Hold);

        _directory.SetBootId("22222222-2222-2222-2222-222222222222");

        Assert.Equal(StateGenerator.Complete with { Hold = null }, _directory.Read());
        Assert.Empty(_directory.LogMessages);
    }

    [Fact]
    public async Task Without_a_boot_ID_a_hold_is_not_restored()
    {
        _directory.SetBootId("");
        await _directory.WriteAsync(StateGenerator.Complete, TestCancellation);

        Assert.Equal(StateGenerator.Complete with { Hold = null }, _directory.Read());
    }

    [Fact]
    public void The_kernel_provides_a_stable_boot_ID() =>
        Assert.Equal(BootId.Read(BootId.KernelPath), BootId.Read(BootId.KernelPath) ?? "no boot ID");

    [Theory]
    [InlineData("Opened", false)]
    [InlineData("Written", false)]
    [InlineData("Synced", false)]
    [InlineData("Renamed", true)]
    [InlineData("DirectorySynced", true)]
    public async Task A_killed_write_leaves_the_old_or_the_new_content(string step, bool isNew)
    {
        await _directory.WriteAsync(StateGenerator.WithoutVerdict, TestCancellation);
        var killed = _directory.Open(reached => KillAfter(reached, Enum.Parse<ReplaceStep>(step)));
        await Assert.ThrowsAsync<KilledException>(() => killed.SaveAsync(StateGenerator.Complete, TestCancellation));

        Assert.Equal(isNew ? StateGenerator.Complete : StateGenerator.WithoutVerdict, _directory.Read());
        Assert.Empty(_directory.LogMessages);
        await _directory.WriteAsync(StateGenerator.Complete, TestCancellation);   // leftovers of the killed write do not interfere
        Assert.Equal(StateGenerator.Complete, _directory.Read());
        Assert.Equal([_directory.File], Directory.GetFiles(_directory.Folder));
    }

    [Fact]
    public async Task A_killed_first_write_leaves_no_content_or_the_new()
    {
        Directory.CreateDirectory(_directory.Folder);
        foreach (var step in Enum.GetValues<ReplaceStep>())
        {
            File.Delete(_directory.File);
            var killed = _directory.Open(reached => KillAfter(reached, step));
            await Assert.ThrowsAsync<KilledException>(() => killed.SaveAsync(StateGenerator.Complete, TestCancellation));

            Assert.Equal(step >= ReplaceStep.Renamed ? StateGenerator.Complete : null, _directory.Read());
        }
        Assert.Empty(_directory.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_concurrent_reader_sees_the_old_or_the_new_content()
    {
        await _directory.WriteAsync(StateGenerator.WithoutVerdict, TestCancellation);
        using var done = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            var seen = new HashSet<PersistedState?>();
            while (!done.IsCancellationRequested)
            {
                seen.Add(StateSerializer.Deserialize(File.ReadAllBytes(_directory.File), BootId.Read(_directory.BootIdFile), Sample.Clock));
            }
            return seen;
        }, TestCancellation);

        for (var i = 0; i < 100; i++)
        {
            await _directory.WriteAsync(i % 2 == 0 ? StateGenerator.Complete : StateGenerator.WithoutVerdict, TestCancellation);
        }
        await done.CancelAsync();

        Assert.Empty((await reading).Except([StateGenerator.Complete, StateGenerator.WithoutVerdict]));
        Assert.Empty(_directory.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Overlapping_writes_leave_the_content_of_one()
    {
        var file = _directory.Open();

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(
                i => file.SaveAsync(i % 2 == 0 ? StateGenerator.Complete : StateGenerator.WithoutVerdict, TestCancellation)));

        Assert.Contains(_directory.Read(), new PersistedState?[] { StateGenerator.Complete, StateGenerator.WithoutVerdict });
        Assert.Equal([_directory.File], Directory.GetFiles(_directory.Folder));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static void KillAfter(ReplaceStep reached, ReplaceStep wanted)
    {
        if (reached == wanted)
        {
            throw new KilledException();
        }
    }

    /// <summary>Nothing catches it, like the end of a process.</summary>
    private sealed class KilledException : Exception;
}
