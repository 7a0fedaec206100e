using System.Formats.Tar;
using System.IO.Compression;
using RagAgent.Cli;
using Xunit;

namespace RagAgent.Tests.Cli;

public sealed class SupportBundleTests : IDisposable
{
    private const string Secret = "sk-secret-0123456789";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-bundle-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(8 * 1024 * 1024 - 10)]   // the cut goes through it
    public async Task No_part_of_a_secret_is_left_wherever_a_text_is_cut(int behind)
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text.Replace(Secret, "***", StringComparison.Ordinal)))
        {
            bundle.Add("log.txt", "before " + Secret + new string('x', behind));
        }

        await using var tar = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var entry = (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken))!;
        using var reader = new StreamReader(entry.DataStream!);
        var text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("bundle/log.txt", entry.Name);
        Assert.DoesNotContain("0123", text, StringComparison.Ordinal);
    }
}
