using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Cli;

/// <summary>A compressed archive of scrubbed texts, readable by its owner only. The file appears once it is complete.</summary>
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
    /// <param name="folder">The folder inside the archive.</param>
    /// <param name="scrub">Removes secrets from a text.</param>
    /// <exception cref="IOException">The file exists or can't be created.</exception>
    public SupportBundle(string path, string folder, Func<string, string> scrub)
    {
        if (Path.Exists(path))
        {
            throw new IOException("The file already exists.");
        }
        // A random name, because a killed process may have left an incomplete archive.
        (_path, _temporaryPath, _folder, _scrub) = (path, $"{path}.{Path.GetRandomFileName()}", folder, scrub);
        _tar = new TarWriter(new GZipStream(
            new FileStream(_temporaryPath, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }),
            CompressionLevel.Optimal));
    }

    public void Add(string name, string text)
    {
        // Before truncation, because half a secret would not be recognized.
        var scrubbed = _scrub(text);
        // The end of a log is more useful than its beginning.
        var bytes = Encoding.UTF8.GetBytes(scrubbed.Length > MaxFileSize ? "…\n" + scrubbed[^MaxFileSize..] : scrubbed);
        _tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{_folder}/{name}")
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            DataStream = new MemoryStream(bytes),
        });
    }

    /// <summary>Adds the content of a file, or why it can't be read.</summary>
    public async Task AddFileAsync(string name, string file, Func<string, string>? redact = null)
    {
        if (FileKind.Detect(file) is { } kind and not FileKind.Regular)
        {
            Add(name, $"{file} is {FileKind.Describe(kind)}, not a file.\n");
            return;
        }
        try
        {
            var text = await File.ReadAllTextAsync(file);
            Add(name, redact?.Invoke(text) ?? text);
        }
        // ArgumentException: no file can have this name.
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Add(name, exception.Message + "\n");
        }
    }

    /// <summary>Adds the output of a command, or why it failed.</summary>
    public async Task AddCommandAsync(string name, Func<string, string>? redact, CancellationToken stopping, params string[] command)
    {
        var (text, remark) = await RunAsync(command, stopping);
        // A command that failed may have printed something useful before.
        Add(name, (text.Length > 0 && redact is not null ? redact(text) : text) + remark);
    }

    /// <summary>Finishes the archive and gives it its final name.</summary>
    /// <exception cref="IOException">Writing failed, or a file of that name exists by now.</exception>
    public void Complete()
    {
        _tar.Dispose();
        File.Move(_temporaryPath, _path);
    }

    /// <summary>Deletes an incomplete archive.</summary>
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
        using var timeout = new LinkedTimeout(CommandTimeout, TimeProvider.System, stopping);
        try
        {
            var result = await ChildProcess.RunAsync(command[0], command[1..], timeout.Token);
            return (result.Output, result.ExitCode switch
            {
                0 => "",
                null => $"{result.Errors}.\n",
                { } code => $"{result.Errors}Exit code: {code}.\n",
            });
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return ("", $"{command[0]} did not answer within {CommandTimeout.TotalSeconds:0} s.\n");
        }
    }
}
