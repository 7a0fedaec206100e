using System.Text;
using CsCheck;
using RagAgent.Common;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Storage;

/// <summary>Whatever happened to the state file, the agent starts and reports it once.</summary>
public sealed class BrokenStateTests : IDisposable
{
    private static readonly byte[] ValidState = StateSerializer.Serialize(StateGenerator.Complete, "boot", Sample.Clock);
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
    public void A_broken_file_is_moved_away_and_logged_once(string content, string why)
    {
        _directory.WriteRaw(Encoding.UTF8.GetBytes(content));

        Assert.Null(_directory.Read());
        Assert.Equal(content, File.ReadAllText(_directory.QuarantinedFile));
        Assert.Equal(
            [$"Warning: The persisted state {_directory.File} can't be used: {why}. It was moved to {_directory.QuarantinedFile}. " +
             "No action is needed: the agent continues with what the containers show. " +
             "It no longer knows which images failed, or that an operator stopped the app."],
            _directory.LogMessages);
        Assert.Null(_directory.Read());   // logged once: the file has been moved away
        Assert.Single(_directory.LogMessages);
    }

    [Fact]
    public void A_truncated_file_is_rejected()
    {
        // Up to the last brace; only a line end follows it.
        for (var length = 0; length < ValidState.Length - 1; length++)
        {
            var cut = length;
            Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(ValidState.AsSpan(0, cut), "boot", Sample.Clock));
        }
        Assert.Equal(StateGenerator.Complete, StateSerializer.Deserialize(ValidState, "boot", Sample.Clock));
    }

    [Fact]
    public void A_flipped_bit_is_detected_or_changes_nothing()
    {
        for (var bit = 0; bit < ValidState.Length * 8; bit++)
        {
            var flipped = (byte[])ValidState.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            PersistedState? read = null;
            try
            {
                read = StateSerializer.Deserialize(flipped, "boot", Sample.Clock);
            }
            catch (CorruptStateException)
            {
                continue;
            }
            Assert.Equal(StateGenerator.Complete, read);
        }
    }

    [Fact]
    public void Arbitrary_bytes_are_rejected() =>
        Gen.OneOf(Gen.Byte.Array[0, 200], Gen.String[0, 100].Select(Encoding.UTF8.GetBytes)).Sample(bytes =>
            Assert.Throws<CorruptStateException>(() => StateSerializer.Deserialize(bytes, "boot", Sample.Clock)));

    [Fact]
    public void An_older_broken_file_is_overwritten()
    {
        Directory.CreateDirectory(_directory.Folder);
        File.WriteAllText(_directory.QuarantinedFile, "older");
        _directory.WriteRaw("newer"u8);

        Assert.Null(_directory.Read());
        Assert.Equal("newer", File.ReadAllText(_directory.QuarantinedFile));
    }

    [Fact]
    public void An_oversized_file_is_not_read()
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
    public void A_folder_in_its_place_stays_and_the_agent_starts()
    {
        Directory.CreateDirectory(_directory.File);

        Assert.Null(_directory.Read());
        Assert.Contains("It can't be moved away: ", Assert.Single(_directory.LogMessages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_directory_that_is_a_file_is_reported()
    {
        await File.WriteAllTextAsync(_directory.Folder, "a file", TestCancellation);

        var problem = await AssertProblem.ThrownAsync(() => _directory.WriteAsync(StateGenerator.Complete, TestCancellation));

        Assert.Equal("state-unwritable", problem.Code);
        Assert.StartsWith($"The persisted state {_directory.File} can't be written: ", problem.What, StringComparison.Ordinal);
        Assert.StartsWith(
            $"Make sure that {_directory.Folder} is a directory that this user can write to. ", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_reported_and_keeps_the_old_content()
    {
        await _directory.WriteAsync(StateGenerator.WithoutVerdict, TestCancellation);
        var file = _directory.Open(step => FailAt(ReplaceStep.Written, step, "No space left on device", 28));

        var problem = await AssertProblem.ThrownAsync(() => file.SaveAsync(StateGenerator.Complete, TestCancellation));

        Assert.Equal(
            new Problem(ProblemCatalog.StateUnwritable, $"The persisted state {_directory.File} can't be written: the disk is full.",
                $"Free some space ('df -h {_directory.Folder}'). The app is not affected. " +
                "Until then, a restart of the agent loses everything it has learned since the last write."),
            problem);
        Assert.Equal(StateGenerator.WithoutVerdict, _directory.Read());
        Assert.Equal([_directory.File], Directory.GetFiles(_directory.Folder));   // the temporary file is deleted
    }

    [Fact]
    public async Task A_write_after_a_failed_one_succeeds()
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
