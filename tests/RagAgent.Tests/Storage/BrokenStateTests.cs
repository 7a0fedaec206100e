using System.Text;
using CsCheck;
using RagAgent.Common;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Storage;

/// <summary>Whatever a disk, a power cut or a person did to the file: the agent starts, and says so once.</summary>
public sealed class BrokenStateTests : IDisposable
{
    private static readonly byte[] ValidState = StateSerializer.Serialize(StateGenerator.Complete, "boot");
    private readonly StateDirectoryFixture _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("\0\0\0\0", "it is damaged or incomplete")]
    [InlineData("not JSON", "it is damaged or incomplete")]
    [InlineData("null", "it is damaged or incomplete")]
    [InlineData("[]", "it is damaged or incomplete")]
    [InlineData("{}", "it is damaged or incomplete")]
    [InlineData("""{ "schema": "1" }""", "it is damaged or incomplete")]
    [InlineData("""{ "schema": 1 }""", "it is damaged or incomplete")]
    [InlineData("""{ "schema": 1, "checksum": null, "memory": null }""", "it is damaged or incomplete")]
    [InlineData("""{ "schema": 1, "checksum": "sha256:00", "memory": {} }""", "its checksum is wrong: it was damaged or edited")]
    [InlineData("""{ "schema": 0 }""", "its schema 0 is unknown")]
    [InlineData("""{ "schema": 2, "all": "different" }""", "a newer agent wrote it (schema 2; this agent knows 1)")]
    [InlineData("""{ "schema": 1, "checksum": "sha256:74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b", "memory": null }""", "it is damaged or incomplete")]
    public void It_is_put_aside_and_told(string content, string why)
    {
        _directory.WriteRaw(Encoding.UTF8.GetBytes(content));

        Assert.Null(_directory.Read());
        Assert.Equal(content, File.ReadAllText(_directory.QuarantinedFile));
        Assert.Equal(
            [$"Warning: The persisted state {_directory.File} can't be used: {why}. It was moved to {_directory.QuarantinedFile}. " +
             "No action is needed: the agent continues with what the containers show. It no longer knows which images failed, or that an operator stopped the app."],
            _directory.LogMessages);
        Assert.Null(_directory.Read());   // told once: it is out of the way
        Assert.Single(_directory.LogMessages);
    }

    [Fact]
    public void Of_one_that_was_cut_off_nothing_is_believed()
    {
        // Without its last brace; what follows that is an end of line.
        for (var length = 0; length < ValidState.Length - 1; length++)
        {
            var cut = length;
            Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(ValidState.AsSpan(0, cut), "boot"));
        }
        Assert.Equal(StateGenerator.Complete, StateSerializer.Deserialize(ValidState, "boot"));
    }

    [Fact]
    public void Of_one_in_which_a_bit_flipped_nothing_else_is_read_than_was_written()
    {
        for (var bit = 0; bit < ValidState.Length * 8; bit++)
        {
            var flipped = (byte[])ValidState.Clone();
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
            Assert.Equal(StateGenerator.Complete, read);
        }
    }

    [Fact]
    public void No_bytes_end_the_agent() => Gen.OneOf(Gen.Byte.Array[0, 200], Gen.String[0, 100].Select(Encoding.UTF8.GetBytes)).Sample(bytes =>
        Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(bytes, "boot")));

    [Fact]
    public void An_older_broken_one_is_overwritten()
    {
        Directory.CreateDirectory(_directory.Folder);
        File.WriteAllText(_directory.QuarantinedFile, "older");
        _directory.WriteRaw("newer"u8);

        Assert.Null(_directory.Read());
        Assert.Equal("newer", File.ReadAllText(_directory.QuarantinedFile));
    }

    [Fact]
    public void One_that_is_far_too_large_is_not_read()
    {
        _directory.WriteRaw([]);
        using (var huge = File.OpenWrite(_directory.File))
        {
            huge.SetLength(1L << 40);
        }

        Assert.Null(_directory.Read());
        Assert.Contains("it is too large (1099511627776 bytes)", Assert.Single(_directory.LogMessages), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_is_no_file_stays_where_it_is_and_the_agent_starts()
    {
        Directory.CreateDirectory(_directory.File);

        Assert.Null(_directory.Read());
        Assert.Contains("It can't be moved away: ", Assert.Single(_directory.LogMessages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_is_none_is_told_and_what_to_do()
    {
        await File.WriteAllTextAsync(_directory.Folder, "a file", TestCancellation);

        var problem = await AssertProblem.ThrownAsync(() => _directory.WriteAsync(StateGenerator.Complete, TestCancellation));

        Assert.Equal("state-unwritable", problem.Code);
        Assert.StartsWith($"The persisted state {_directory.File} can't be written: ", problem.What, StringComparison.Ordinal);
        Assert.StartsWith($"Make sure that {_directory.Folder} is a directory that this user can write to. ", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_told_as_one_and_leaves_what_was_there()
    {
        await _directory.WriteAsync(StateGenerator.WithoutVerdict, TestCancellation);
        var file = _directory.Open(step => FailAt(ReplaceStep.Written, step, "No space left on device", 28));

        var problem = await AssertProblem.ThrownAsync(() => file.SaveAsync(StateGenerator.Complete, TestCancellation));

        Assert.Equal(new Problem(ProblemCatalog.StateUnwritable, $"The persisted state {_directory.File} can't be written: the disk is full.",
            $"Free some space ('df -h {_directory.Folder}'). The app is not affected. Until then, a restart of the agent loses everything it has learned since the last write."), problem);
        Assert.Equal(StateGenerator.WithoutVerdict, _directory.Read());
        Assert.Equal([_directory.File], Directory.GetFiles(_directory.Folder));   // and holds none of the little space
    }

    [Fact]
    public async Task The_next_write_is_made_when_one_failed()
    {
        var fails = true;
        var file = _directory.Open(step =>
        {
            if (fails)
            {
                FailAt(ReplaceStep.Opened, step, "Read-only file system", 30);
            }
        });

        var problem = await AssertProblem.ThrownAsync(() => file.SaveAsync(StateGenerator.Complete, TestCancellation));
        Assert.Contains("can't be written: its file system is read-only.", problem.What, StringComparison.Ordinal);
        fails = false;
        await file.SaveAsync(StateGenerator.Complete, TestCancellation);

        Assert.Equal(StateGenerator.Complete, _directory.Read());
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static void FailAt(ReplaceStep wanted, ReplaceStep reached, string message, int number)
    {
        if (reached == wanted)
        {
            throw new IOException(message, number);
        }
    }
}
