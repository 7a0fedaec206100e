using System.Text;
using CsCheck;
using RagAgent.Common;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Storage;

/// <summary>Whatever a disk, a power cut or a person did to the file: the agent starts, and says so once.</summary>
public sealed class BrokenStateTests : IDisposable
{
    private static readonly byte[] Whole = StateSerializer.Serialize(Memories.Full, "boot");
    private readonly StateBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("\0\0\0\0", "it is damaged or not whole")]
    [InlineData("not JSON", "it is damaged or not whole")]
    [InlineData("null", "it is damaged or not whole")]
    [InlineData("[]", "it is damaged or not whole")]
    [InlineData("{}", "it is damaged or not whole")]
    [InlineData("""{ "schema": "1" }""", "it is damaged or not whole")]
    [InlineData("""{ "schema": 1 }""", "it is damaged or not whole")]
    [InlineData("""{ "schema": 1, "checksum": null, "memory": null }""", "it is damaged or not whole")]
    [InlineData("""{ "schema": 1, "checksum": "sha256:00", "memory": {} }""", "its checksum is wrong: it was damaged or edited")]
    [InlineData("""{ "schema": 0 }""", "its schema 0 is unknown")]
    [InlineData("""{ "schema": 2, "all": "different" }""", "a newer agent wrote it (schema 2, this one knows 1)")]
    [InlineData("""{ "schema": 1, "checksum": "sha256:74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b", "memory": null }""", "it is damaged or not whole")]
    public void It_is_put_aside_and_told(string content, string why)
    {
        _bench.Put(Encoding.UTF8.GetBytes(content));

        Assert.Null(_bench.Read());
        Assert.Equal(content, File.ReadAllText(_bench.Aside));
        Assert.Equal(
            [$"Warning: What the agent remembered, {_bench.File}, can't be used: {why}. It is kept as {_bench.Aside}. " +
             "Nothing has to be done: the agent goes on with what the containers tell. It does not know any more which images failed, nor that the app was to stay stopped."],
            _bench.Told);
        Assert.Null(_bench.Read());   // told once: it is out of the way
        Assert.Single(_bench.Told);
    }

    [Fact]
    public void Of_one_that_was_cut_off_nothing_is_believed()
    {
        // Without its last brace; what follows that is an end of line.
        for (var length = 0; length < Whole.Length - 1; length++)
        {
            var cut = length;
            Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(Whole.AsSpan(0, cut), "boot"));
        }
        Assert.Equal(Memories.Full, StateSerializer.Deserialize(Whole, "boot"));
    }

    [Fact]
    public void Of_one_in_which_a_bit_flipped_nothing_else_is_read_than_was_written()
    {
        for (var bit = 0; bit < Whole.Length * 8; bit++)
        {
            var flipped = (byte[])Whole.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            PersistedState? read = null;
            try
            {
                read = StateSerializer.Deserialize(flipped, "boot");
            }
            catch (CorruptStateException)
            {
                continue;
            }
            Assert.Equal(Memories.Full, read);
        }
    }

    [Fact]
    public void No_bytes_end_the_agent() => Gen.OneOf(Gen.Byte.Array[0, 200], Gen.String[0, 100].Select(Encoding.UTF8.GetBytes)).Sample(bytes =>
        Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(bytes, "boot")));

    [Fact]
    public void An_older_broken_one_is_overwritten()
    {
        Directory.CreateDirectory(_bench.Folder);
        File.WriteAllText(_bench.Aside, "older");
        _bench.Put("newer"u8);

        Assert.Null(_bench.Read());
        Assert.Equal("newer", File.ReadAllText(_bench.Aside));
    }

    [Fact]
    public void One_that_is_far_too_large_is_not_read()
    {
        _bench.Put([]);
        using (var huge = File.OpenWrite(_bench.File))
        {
            huge.SetLength(1L << 40);
        }

        Assert.Null(_bench.Read());
        Assert.Contains("it is too large to be ours (1099511627776 bytes)", Assert.Single(_bench.Told), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_no_file_stays_where_it_is_and_the_agent_starts()
    {
        Directory.CreateDirectory(_bench.File);

        Assert.Null(_bench.Read());
        Assert.Contains("It stays where it is: ", Assert.Single(_bench.Told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_is_none_is_told_and_what_to_do()
    {
        await File.WriteAllTextAsync(_bench.Folder, "a file", Stop);

        var problem = await Refused.ByAsync(() => _bench.WriteAsync(Memories.Full, Stop));

        Assert.Equal("state-unwritable", problem.Code);
        Assert.StartsWith($"What the agent remembers, {_bench.File}, can't be written: ", problem.What, StringComparison.Ordinal);
        Assert.StartsWith($"See that {_bench.Folder} is a directory that this user can write to. ", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_told_as_one_and_leaves_what_was_there()
    {
        await _bench.WriteAsync(Memories.Other, Stop);
        var file = _bench.Open(step => FailAt(ReplaceStep.Written, step, "No space left on device", 28));

        var problem = await Refused.ByAsync(() => file.SaveAsync(Memories.Full, Stop));

        Assert.Equal(new Problem("state-unwritable", $"What the agent remembers, {_bench.File}, can't be written: the disk is full.",
            $"Free some space ('df -h {_bench.Folder}'). The app is not touched; until it can be written, a restart of the agent forgets what it has learned since."), problem);
        Assert.Equal(Memories.Other, _bench.Read());
        Assert.Equal([_bench.File], Directory.GetFiles(_bench.Folder));   // and holds none of the little space
    }

    [Fact]
    public async Task The_next_write_is_made_when_one_failed()
    {
        var fails = true;
        var file = _bench.Open(step =>
        {
            if (fails)
            {
                FailAt(ReplaceStep.Opened, step, "Read-only file system", 30);
            }
        });

        var problem = await Refused.ByAsync(() => file.SaveAsync(Memories.Full, Stop));
        Assert.Contains("can't be written: its file system is read-only.", problem.What, StringComparison.Ordinal);
        fails = false;
        await file.SaveAsync(Memories.Full, Stop);

        Assert.Equal(Memories.Full, _bench.Read());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static void FailAt(ReplaceStep wanted, ReplaceStep reached, string message, int number)
    {
        if (reached == wanted)
        {
            throw new IOException(message, number);
        }
    }
}
