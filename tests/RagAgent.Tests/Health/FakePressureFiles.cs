using System.Globalization;
using RagAgent.Health;

namespace RagAgent.Tests.Health;

/// <summary>What the kernel tells of a machine's pressure, as a test wants it. At first it is short of nothing.</summary>
internal sealed class FakePressureFiles : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ragagent-pressure.").FullName;

    public FakePressureFiles()
    {
        foreach (var resource in (string[])["cpu", "memory", "io"])
        {
            Set(resource, 0);
        }
    }

    public Pressure Read() => new(_folder);

    public void Set(string resource, double percent) => Write(resource, string.Create(CultureInfo.InvariantCulture,
        $"some avg10={percent:0.00} avg60=99.99 avg300=99.99 total=53869764\nfull avg10=99.99 avg60=99.99 avg300=99.99 total=0\n"));

    public void Write(string resource, string text) => File.WriteAllText(Path.Combine(_folder, resource), text);

    public void Remove(string resource) => File.Delete(Path.Combine(_folder, resource));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
