using CsCheck;
using RagAgent.Health;
using Xunit;

namespace RagAgent.Tests.Health;

public sealed class PressureReaderTests : IDisposable
{
    private readonly FakePressureFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("cpu", 60, null)]
    [InlineData("cpu", 60.01, "processor time")]
    [InlineData("memory", 40, null)]
    [InlineData("memory", 40.01, "memory")]
    [InlineData("io", 60, null)]
    [InlineData("io", 60.01, "disk throughput")]
    [InlineData("cpu", 100, "processor time")]
    public void A_resource_above_its_limit_is_a_shortage(string resource, double percent, string? what)
    {
        _files.Set(resource, percent);

        Assert.Equal(what, _files.Read().FindShortage());
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("some")]
    [InlineData("some ")]
    [InlineData("some avg10=\n")]
    [InlineData("some avg10=much\n")]
    [InlineData("some avg10=-1.00\n")]
    [InlineData("some avg10=1e2\n")]
    [InlineData("some avg10=NaN\n")]
    [InlineData("some avg10=100.01\n")]
    [InlineData("some avg60=99.00 total=1\n")]
    [InlineData("full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n")]
    [InlineData("something avg10=99.00\n")]
    public void Garbled_text_is_no_pressure(string text)
    {
        Assert.Null(Pressure.Parse(text));
        _files.Write("cpu", text);
        Assert.Null(_files.Read().FindShortage());
    }

    [Fact]
    public void Parsing_arbitrary_text_never_throws() => Gen.String.Sample(text => Pressure.Parse(text) is null or (>= 0 and <= 100));

    [Theory]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0)]
    [InlineData("full avg10=9.00\nsome avg10=12.34 avg60=0.00\n", 12.34)]
    [InlineData("some avg10=100.00 avg60=0.00 avg300=0.00 total=0", 100)]
    public void The_value_is_some_avg10(string text, double percent) => Assert.Equal(percent, Pressure.Parse(text));

    [Fact]
    public void Without_PSI_there_is_no_shortage()
    {
        Assert.Null(new Pressure("/nonexistent").FindShortage());
        _files.Remove("cpu");
        Assert.Null(_files.Read().FindShortage());
        _files.Set("io", 90);
        Assert.Equal("disk throughput", _files.Read().FindShortage());   // a missing file does not hide the others
    }

    [Fact]
    public void This_kernels_PSI_can_be_parsed()
    {
        Assert.SkipUnless(File.Exists("/proc/pressure/cpu"), "This kernel has no PSI.");

        Assert.NotNull(Pressure.Parse(File.ReadAllText("/proc/pressure/cpu")));
    }
}
