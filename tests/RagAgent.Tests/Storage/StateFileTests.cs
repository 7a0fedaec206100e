using CsCheck;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Storage;

public sealed class StateFileTests : IDisposable
{
    private readonly StateBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Before_the_first_write_there_is_nothing_and_nothing_to_tell()
    {
        Assert.Null(_bench.Read());
        Directory.CreateDirectory(_bench.Folder);
        Assert.Null(_bench.Read());
        Assert.Empty(_bench.Told);
    }

    [Fact]
    public Task What_is_written_is_read_back_as_the_same() => Memories.Any.SampleAsync(async memory =>
    {
        await _bench.WriteAsync(memory, Stop);
        Assert.Equal(memory, _bench.Read());
    }, iter: 200, threads: 1);

    [Fact]
    public async Task A_person_can_read_it()
    {
        await _bench.WriteAsync(Memories.Full, Stop);

        var text = await File.ReadAllTextAsync(_bench.File, Stop);
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
                ]
              }
            }

            """, text[text.IndexOf("  \"memory\"", StringComparison.Ordinal)..]);
        Assert.StartsWith("{\n  \"schema\": 1,\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_its_owner_may_read_it()
    {
        await _bench.WriteAsync(Memories.Full, Stop);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_bench.File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_bench.Folder));
    }

    [Fact]
    public async Task A_hold_ends_when_the_machine_boots_anew_and_nothing_else_does()
    {
        await _bench.WriteAsync(Memories.Full, Stop);
        Assert.Equal(Hold.Operator, _bench.Read()!.Hold);

        _bench.BootAs("22222222-2222-2222-2222-222222222222");

        Assert.Equal(Memories.Full with { Hold = null }, _bench.Read());
        Assert.Empty(_bench.Told);
    }

    [Fact]
    public async Task A_machine_that_does_not_tell_its_boots_apart_has_no_hold()
    {
        _bench.BootAs("");
        await _bench.WriteAsync(Memories.Full, Stop);

        Assert.Equal(Memories.Full with { Hold = null }, _bench.Read());
    }

    [Fact]
    public void The_kernel_tells_its_boots_apart() => Assert.Equal(BootId.Read(BootId.KernelPath), BootId.Read(BootId.KernelPath) ?? "not at all");

    [Theory]
    [InlineData("Opened", false)]
    [InlineData("Written", false)]
    [InlineData("Synced", false)]
    [InlineData("Renamed", true)]
    [InlineData("DirectorySynced", true)]
    public async Task A_write_that_is_killed_leaves_the_old_or_the_new(string step, bool isNew)
    {
        await _bench.WriteAsync(Memories.Other, Stop);
        var dying = _bench.Open(reached => Die(reached, Enum.Parse<ReplaceStep>(step)));
        await Assert.ThrowsAsync<KilledException>(() => dying.SaveAsync(Memories.Full, Stop));

        Assert.Equal(isNew ? Memories.Full : Memories.Other, _bench.Read());
        Assert.Empty(_bench.Told);
        await _bench.WriteAsync(Memories.Full, Stop);   // and what it left is in nobody's way
        Assert.Equal(Memories.Full, _bench.Read());
        Assert.Equal([_bench.File], Directory.GetFiles(_bench.Folder));
    }

    [Fact]
    public async Task The_first_write_that_is_killed_leaves_nothing_or_the_new()
    {
        Directory.CreateDirectory(_bench.Folder);
        foreach (var step in Enum.GetValues<ReplaceStep>())
        {
            File.Delete(_bench.File);
            var dying = _bench.Open(reached => Die(reached, step));
            await Assert.ThrowsAsync<KilledException>(() => dying.SaveAsync(Memories.Full, Stop));

            Assert.Equal(step >= ReplaceStep.Renamed ? Memories.Full : null, _bench.Read());
        }
        Assert.Empty(_bench.Told);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Another_process_that_reads_beside_the_writer_reads_one_or_the_other()
    {
        await _bench.WriteAsync(Memories.Other, Stop);
        using var over = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            var seen = new HashSet<PersistedState?>();
            while (!over.IsCancellationRequested)
            {
                seen.Add(StateSerializer.Deserialize(File.ReadAllBytes(_bench.File), BootId.Read(_bench.BootIdFile)));
            }
            return seen;
        }, Stop);

        for (var i = 0; i < 100; i++)
        {
            await _bench.WriteAsync(i % 2 == 0 ? Memories.Full : Memories.Other, Stop);
        }
        await over.CancelAsync();

        Assert.Empty((await reading).Except([Memories.Full, Memories.Other]));
        Assert.Empty(_bench.Told);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Writes_that_overlap_leave_one_of_them()
    {
        var file = _bench.Open();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => file.SaveAsync(i % 2 == 0 ? Memories.Full : Memories.Other, Stop)));

        Assert.Contains(_bench.Read(), new PersistedState?[] { Memories.Full, Memories.Other });
        Assert.Equal([_bench.File], Directory.GetFiles(_bench.Folder));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static void Die(ReplaceStep reached, ReplaceStep wanted)
    {
        if (reached == wanted)
        {
            throw new KilledException();
        }
    }

    /// <summary>Nothing handles it, as nothing handles the end of a process.</summary>
    private sealed class KilledException : Exception;
}
