using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using RagAgent.Configuration;

namespace RagAgent.Cli;

/// <summary>A compressed archive of texts, each of which was scrubbed. Readable by its maker only. There once it is complete, and not before.</summary>
internal sealed class SupportBundle : IDisposable
{
    private const int MaxFileSize = 8 * 1024 * 1024;
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(20);

    private readonly string _path;
    private readonly string _temporaryPath;
    private readonly string _folder;
    private readonly Func<string, string> _scrub;
    private readonly TarWriter _tar;

    /// <param name="path">Must not exist yet.</param>
    /// <param name="folder">That everything lies in, inside the archive.</param>
    /// <param name="scrub">Takes secrets out.</param>
    /// <exception cref="IOException">It exists, or can't be written there.</exception>
    public SupportBundle(string path, string folder, Func<string, string> scrub)
    {
        if (Path.Exists(path))
        {
            throw new IOException("It exists already.");
        }
        // Of a name that no killed one before has left.
        (_path, _temporaryPath, _folder, _scrub) = (path, $"{path}.{Path.GetRandomFileName()}", folder, scrub);
        _tar = new TarWriter(new GZipStream(
            new FileStream(_temporaryPath, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }),
            CompressionLevel.Optimal));
    }

    public void Add(string name, string text)
    {
        // Scrubbed whole: half a secret, as a cut would leave it, is not found.
        var scrubbed = _scrub(text);
        // The end of a log says more than its beginning.
        var bytes = Encoding.UTF8.GetBytes(scrubbed.Length > MaxFileSize ? "…\n" + scrubbed[^MaxFileSize..] : scrubbed);
        _tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{_folder}/{name}")
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            DataStream = new MemoryStream(bytes),
        });
    }

    /// <summary>A file's text, or why it can't be had.</summary>
    public async Task AddFileAsync(string name, string file, Func<string, string>? redact = null)
    {
        if (FileKind.Detect(file) is { } fileKind and not FileKind.Regular)
        {
            Add(name, $"{file} is {FileKind.Describe(fileKind)} and no file.\n");
            return;
        }
        try
        {
            var text = await File.ReadAllTextAsync(file);
            Add(name, redact?.Invoke(text) ?? text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)   // the last: no file can have that name
        {
            Add(name, exception.Message + "\n");
        }
    }

    /// <summary>What a command says, or why it can't be asked.</summary>
    public async Task AddCommandAsync(string name, Func<string, string>? redact, CancellationToken stopping, params string[] command)
    {
        var (text, remark) = await RunAsync(command, stopping);
        // Also of a command that failed: it may have said much before.
        Add(name, (text.Length > 0 && redact is not null ? redact(text) : text) + remark);
    }

    /// <summary>Gives it its name.</summary>
    /// <exception cref="IOException">It can't be written to its end, or another one has that name by now.</exception>
    public void Complete()
    {
        _tar.Dispose();
        File.Move(_temporaryPath, _path);
    }

    /// <summary>Leaves nothing of one that is not complete.</summary>
    public void Dispose()
    {
        try
        {
            _tar.Dispose();
        }
        finally
        {
            File.Delete(_temporaryPath);
        }
    }

    private static async Task<(string Text, string Remark)> RunAsync(string[] command, CancellationToken stopping)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        timeout.CancelAfter(CommandTimeout);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            try
            {
                var error = process.StandardError.ReadToEndAsync(timeout.Token);
                var text = await process.StandardOutput.ReadToEndAsync(timeout.Token);
                var errorOutput = await error;
                await process.WaitForExitAsync(timeout.Token);
                return (text, process.ExitCode == 0 ? "" : $"{errorOutput}It ended with {process.ExitCode}.\n");
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
                return ("", $"{command[0]} did not answer within {CommandTimeout.TotalSeconds:0} s.\n");
            }
        }
        catch (Win32Exception exception)
        {
            return ("", $"{command[0]} can't be run: {exception.Message}.\n");
        }
    }
}
