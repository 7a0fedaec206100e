using System.Formats.Tar;
using System.IO.Compression;
using RagAgent.Cli;
using RagAgent.Tests.Support;
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
    [InlineData(8 * 1024 * 1024 - 10)]   // truncated in the middle of the secret
    public async Task Truncation_leaves_no_part_of_a_secret(int behind)
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text.Replace(Secret, "***", StringComparison.Ordinal)))
        {
            bundle.Add("log.txt", "before " + Secret + new string('x', behind));
            bundle.Complete();
        }

        var (name, text) = await OnlyEntryAsync(path);
        Assert.Equal("bundle/log.txt", name);
        Assert.DoesNotContain("0123", text, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_output_of_a_failed_command_is_redacted()
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text))
        {
            await bundle.AddCommandAsync(
                "units.txt",
                text => text.Replace(Secret, "***", StringComparison.Ordinal),
                TestContext.Current.CancellationToken,
                "sh", "-c", $"echo {Secret}; echo No such unit >&2; exit 1");
            bundle.Complete();
        }

        Assert.Equal(("bundle/units.txt", "***\nNo such unit\nExit code: 1.\n"), await OnlyEntryAsync(path));
    }

    [Fact]
    public void An_incomplete_bundle_leaves_no_files()
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        Assert.Throws<InvalidOperationException>(() =>
        {
            using var bundle = new SupportBundle(path, "bundle", text => text == "bad" ? throw new InvalidOperationException("It broke") : text);
            bundle.Add("log.txt", "good");
            Assert.False(File.Exists(path));
            bundle.Add("log.txt", "bad");
        });
        Assert.Empty(_folder.GetFileSystemInfos());
    }

    [Fact]
    public void A_complete_bundle_is_the_only_file_and_private_to_its_owner()
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text))
        {
            bundle.Complete();
        }
        Assert.Equal([path], _folder.GetFileSystemInfos().Select(file => file.FullName));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void An_existing_file_is_never_overwritten_by_a_bundle()
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        File.WriteAllText(path, "another");
        Assert.Throws<IOException>(() => new SupportBundle(path, "bundle", text => text));
        Assert.Equal("another", File.ReadAllText(path));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/dev/null", "/dev/null is a device, not a file.\n")]
    [InlineData("", "The value cannot be an empty string. (Parameter 'path')\n")]
    public async Task A_path_that_is_not_a_file_is_noted_in_the_bundle(string file, string expected)
    {
        var path = Path.Combine(_folder.FullName, "bundle.tar.gz");
        using (var bundle = new SupportBundle(path, "bundle", text => text))
        {
            await bundle.AddFileAsync("config.json", file, text => "read: " + text);
            bundle.Complete();
        }
        Assert.Equal(("bundle/config.json", expected), await OnlyEntryAsync(path));
    }

    private static async Task<(string Name, string Text)> OnlyEntryAsync(string archive)
    {
        await using var tar = new TarReader(new GZipStream(File.OpenRead(archive), CompressionMode.Decompress));
        var entry = (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken))!;
        using var reader = new StreamReader(entry.DataStream!);
        return (entry.Name, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
