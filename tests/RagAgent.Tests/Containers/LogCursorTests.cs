using System.Text;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public sealed class LogCursorTests : IDisposable
{
    private static readonly LogPosition Position = new(1795526921642767802, 1795526921642767803, 17, 2, 1795526922000000001);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cursor");

    private string File => Path.Combine(_folder.FullName, "app.id");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_was_written_last_is_read()
    {
        using (var cursor = new LogPositionFile(File))
        {
            Assert.Null(cursor.Read());
            cursor.Write(LogPositionFile.Format(LogPosition.Start));
            cursor.Write(LogPositionFile.Format(Position));
        }
        using var next = new LogPositionFile(File);

        Assert.Equal(Position, next.Read());
    }

    [Fact]
    public void A_record_is_as_long_as_any_other_so_that_one_replaces_another()
    {
        var lengths = new[] { LogPosition.Start, Position, new(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue) }.Select(p => LogPositionFile.Format(p).Length);

        Assert.Single(lengths.Distinct());
    }

    [Fact]
    public void A_torn_record_is_none_wherever_it_is_torn()
    {
        var before = LogPositionFile.Format(LogPosition.After(1));
        var after = LogPositionFile.Format(Position);
        for (var torn = 1; torn < after.Length; torn++)
        {
            byte[] mixed = [.. after[..torn], .. before[torn..]];
            Assert.True(LogPositionFile.Parse(mixed) is not { } read || read == Position || read == LogPosition.After(1), $"torn after {torn}");
        }
    }

    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        for (var at = 0; at < LogPositionFile.Format(Position).TakeWhile(b => b != '\n').Count(); at++)
        {
            var record = LogPositionFile.Format(Position);
            record[at] ^= 1;
            Assert.True(LogPositionFile.Parse(record) is not { } read || read == Position, $"byte {at}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("ragagent-log-1 1 2 3 4 5")]
    public void Garbage_is_no_record(string text)
    {
        System.IO.File.WriteAllText(File, text);
        using var cursor = new LogPositionFile(File);

        Assert.Null(cursor.Read());
        Assert.Null(LogPositionFile.Parse(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void A_file_that_is_longer_than_a_record_is_none()
    {
        System.IO.File.WriteAllBytes(File, [.. LogPositionFile.Format(Position), 0]);
        using var cursor = new LogPositionFile(File);

        Assert.Null(cursor.Read());
    }
}
