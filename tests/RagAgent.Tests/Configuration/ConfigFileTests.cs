using System.Net.Sockets;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Tests.Support;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public sealed class ConfigFileTests : IDisposable
{
    private const string Example =
        """The smallest useful file is { "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }; """
        + "a sample with every key is in /usr/share/ragagent/ragagent.json";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-config-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_valid_file_gives_a_configuration() =>
        Assert.Equal("app", ConfigReader.ReadFile(Write("{ \"image\": \"app\" }"u8)).Config?.Image);

    [Fact]
    public void A_missing_file_is_answered_with_an_example()
    {
        var path = Path.Combine(_folder.FullName, "missing.json");

        Assert.Equal($"{path}: there is no such file; create it. {Example}", Problem(path));
    }

    [Fact]
    public void A_file_in_a_missing_folder_is_answered_with_an_example()
    {
        var path = Path.Combine(_folder.FullName, "missing", "ragagent.json");

        Assert.Equal($"{path}: there is no such file; create it. {Example}", Problem(path));
    }

    [Fact]
    public void A_folder_is_rejected() => Assert.Equal($"{_folder.FullName}: is a folder; give the path of the file in it", Problem(_folder.FullName));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_pipe_is_rejected_without_waiting_for_a_writer()
    {
        var path = Path.Combine(_folder.FullName, "pipe");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", path))
        {
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var problem = await Task.Run(() => Problem(path), TestContext.Current.CancellationToken);

        Assert.Equal($"{path}: is a pipe, not a file; put the configuration in a file and give its path", problem);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_device_is_rejected()
    {
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, "/dev/zero");

        Assert.Equal("/dev/zero: is a device, not a file; put the configuration in a file and give its path", await Task.Run(() => Problem("/dev/zero")));
        Assert.Equal($"{link}: is a device, not a file; put the configuration in a file and give its path", await Task.Run(() => Problem(link)));
    }

    [Fact]
    public void A_socket_is_rejected()
    {
        var path = Path.Combine(_folder.FullName, "socket");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));

        Assert.Equal($"{path}: is a socket, not a file; put the configuration in a file and give its path", Problem(path));
    }

    [Fact]
    public void A_symbolic_link_to_a_file_is_read()
    {
        var link = Path.Combine(_folder.FullName, "link");
        File.CreateSymbolicLink(link, Write("{ \"image\": \"app\" }"u8));

        Assert.Equal("app", ConfigReader.ReadFile(link).Config?.Image);
    }

    [Fact]
    public void The_error_for_an_unreadable_file_names_the_user()
    {
        // The error is simulated, because the tests may run as root, who can read every file.
        var result = ConfigReader.ReadFile("/etc/ragagent.json", _ => throw new UnauthorizedAccessException());

        Assert.Equal(
            $"/etc/ragagent.json: can't be read by this user ({Environment.UserName}); allow it, for example with 'chmod 644 /etc/ragagent.json'",
            Assert.Single(result.Errors).ToString());
    }

    [Fact]
    public void A_read_error_is_reported()
    {
        var result = ConfigReader.ReadFile("/etc/ragagent.json", _ => throw new IOException("Input/output error"));

        Assert.Equal("/etc/ragagent.json: can't be read: Input/output error", Assert.Single(result.Errors).ToString());
    }

    [Fact]
    public void A_file_over_1_MiB_is_rejected()
    {
        var path = Write(Encoding.ASCII.GetBytes(new string(' ', ConfigReader.MaxFileSize + 1)));

        Assert.Equal($"{path}: is larger than 1 MiB; this can't be the configuration", Problem(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t")]
    [InlineData("// only a comment")]
    public void An_empty_file_is_answered_with_an_example(string text)
    {
        var path = Write(Encoding.UTF8.GetBytes(text));

        Assert.Equal($"{path}: is empty. {Example}", Problem(path));
    }

    [Fact]
    public void A_file_in_UTF_16_is_recognized()
    {
        var path = Write([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("{}")]);

        Assert.Equal($"{path}: is UTF-16; save the file as UTF-8", Problem(path));
    }

    [Fact]
    public void Invalid_UTF_8_is_reported_with_its_position()
    {
        var path = Write([.. "{\n\"image\": \"ä"u8, 0xE4, .. "\" }"u8]);

        Assert.Equal($"{path}:2:12: this is not valid UTF-8; save the file as UTF-8", Problem(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void An_impossible_file_name_is_rejected(string path) =>
        Assert.EndsWith("is not a valid file name", Problem(path), StringComparison.Ordinal);

    private static string Problem(string path)
    {
        var result = ConfigReader.ReadFile(path);
        Assert.Null(result.Config);
        return Assert.Single(result.Errors).ToString();
    }

    private string Write(ReadOnlySpan<byte> text)
    {
        var path = Path.Combine(_folder.FullName, FileName);
        File.WriteAllBytes(path, text);
        return path;
    }
}
