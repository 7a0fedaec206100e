using System.Text;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public sealed class LogPositionFileTests : IDisposable
{
    private static readonly LogPosition Position = new(1795526921642767802, 1795526921642767803, 17, 2, 1795526922000000001);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("position");

    private string File => Path.Combine(_folder.FullName, "app.id");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_last_written_position_is_read()
    {
        using (var file = new LogPositionFile(File))
        {
            Assert.Null(file.Read());
            file.Write(LogPositionFile.Format(LogPosition.Start));
            file.Write(LogPositionFile.Format(Position));
        }
        using var next = new LogPositionFile(File);

        Assert.Equal(Position, next.Read());
    }

    [Fact]
    public void All_records_have_the_same_length()
    {
        var largest = new LogPosition(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue);
        var lengths = new[] { LogPosition.Start, Position, largest }.Select(position => LogPositionFile.Format(position).Length);

        Assert.Single(lengths.Distinct());
    }

    [Fact]
    public void A_torn_record_is_never_read_as_a_wrong_position()
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
    public void A_change_of_any_byte_is_detected()
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
    public void Garbage_is_not_read_as_a_record(string text)
    {
        System.IO.File.WriteAllText(File, text);
        using var file = new LogPositionFile(File);

        Assert.Null(file.Read());
        Assert.Null(LogPositionFile.Parse(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void A_file_longer_than_a_record_is_ignored()
    {
        System.IO.File.WriteAllBytes(File, [.. LogPositionFile.Format(Position), 0]);
        using var file = new LogPositionFile(File);

        Assert.Null(file.Read());
    }
}
