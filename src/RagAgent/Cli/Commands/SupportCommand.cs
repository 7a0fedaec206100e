using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Logging;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Reporting;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent support</c>: writes a support bundle without secrets.</summary>
internal static class SupportCommand
{
    public static Command Create()
    {
        var configFile = Options.ConfigFile();
        var runtimeDirectory = Options.RuntimeDirectory();
        var stateDirectory = Options.StateDirectory();
        var archive = new Option<string?>("--output", "-o")
        {
            Description = "The file to write, which must not exist yet.",
            HelpName = "FILE",
        };
        var command = new Command("support", "Write a support bundle (logs, status, checks, configuration) with secrets removed.")
        {
            archive,
            configFile,
            runtimeDirectory,
            stateDirectory,
        };
        command.SetAction((parsed, stopping) => WriteAsync(
            parsed.GetValue(archive),
            parsed.GetValue(configFile)!,
            parsed.GetValue(runtimeDirectory)!,
            new StateDirectory(parsed.GetValue(stateDirectory)!),
            stopping));
        return command;
    }

    private static async Task<int> WriteAsync(
        string? archive,
        string configFile,
        string runtimeDirectory,
        StateDirectory stateDirectory,
        CancellationToken stopping)
    {
        var time = TimeProvider.System.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var name = $"ragagent-support-{Environment.MachineName}-{time}";
        var path = Path.GetFullPath(archive ?? $"{name}.tar.gz");
        using var logging = new AgentLogging(OutputKind.Plain, TextWriter.Null);
        try
        {
            using var bundle = new SupportBundle(path, name, text => Redaction.UrlCredentials(logging.Vault.Scrub(text)));
            await CollectAsync(bundle, logging, configFile, runtimeDirectory, stateDirectory, stopping);
            bundle.Complete();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"ragagent: {path} was not written: the command was interrupted. Run it again.");
            return ExitCodes.Failed;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(
                $"ragagent: {path} can't be written: {Reason(exception, path)} Choose another file with --output.");
            return ExitCodes.Failed;
        }
        Console.WriteLine(
            $"Wrote {path}. Secrets and values of environment variables are removed. "
            + "Check what else your app's log contains before you share the file.");
        return ExitCodes.Ok;
    }

    /// <summary>Not the message of the exception, which names the temporary file.</summary>
    private static string Reason(Exception exception, string path) => exception switch
    {
        DirectoryNotFoundException => $"There is no folder {Path.GetDirectoryName(path)}.",
        FileNotFoundException => "No file can be created there.",
        UnauthorizedAccessException => "This user lacks write permission.",
        { HResult: > 0 and < 4096 and var errno } => $"{Marshal.GetPInvokeErrorMessage(errno)}.",
        _ => exception.Message,
    };

    private static async Task CollectAsync(
        SupportBundle bundle,
        AgentLogging logging,
        string configFile,
        string runtimeDirectory,
        StateDirectory stateDirectory,
        CancellationToken stopping)
    {
        string[] units = [Systemctl.ServiceUnit, Systemctl.SocketUnit, "docker.service"];
        string[] journalctl =
        [
            "journalctl", .. units.SelectMany(unit => new[] { "--unit", unit }), "--lines", "10000", "--output", "short-iso", "--no-pager",
        ];
        var config = ConfigReader.ReadFile(configFile).Config;
        // First, because the checks read the secrets that everything else is scrubbed of.
        var checks = await DoctorCommand.RunChecksAsync(configFile, runtimeDirectory, stateDirectory, logging, stopping);
        bundle.Add("doctor.json", JsonSerializer.Serialize(checks, DoctorJson.Default.DoctorDocument));
        bundle.Add("version.txt", $"ragagent {AgentVersion.Short}\n");
        bundle.Add("status.json", await ReadStatusAsync(runtimeDirectory, stopping));
        await bundle.AddFileAsync("config.json", configFile, Redaction.Configuration);
        await bundle.AddFileAsync("state.json", Path.Combine(stateDirectory.Path, "state.json"), Redaction.Document);
        await bundle.AddFileAsync("boots.json", Path.Combine(stateDirectory.Path, "boots.json"), Redaction.Document);
        await bundle.AddCommandAsync("journal.txt", null, stopping, journalctl);
        await bundle.AddCommandAsync("units.txt", UnitRedaction.Redact, stopping, ["systemctl", "cat", .. units]);
        await bundle.AddCommandAsync("units-status.txt", UnitRedaction.Redact, stopping, ["systemctl", "show", .. units]);
        await bundle.AddCommandAsync("docker.txt", null, stopping, "docker", "info");
        await bundle.AddCommandAsync("docker-version.txt", null, stopping, "docker", "version");
        await bundle.AddCommandAsync("containers.txt", null, stopping, "docker", "ps", "--all", "--no-trunc");
        await bundle.AddCommandAsync("images.txt", null, stopping, "docker", "images", "--digests");
        var container = (config?.Container ?? new ContainerConfig()).Name;
        await bundle.AddCommandAsync("container.json", Redaction.ContainerInspection, stopping, "docker", "inspect", container);
        await bundle.AddFileAsync("os-release.txt", "/etc/os-release");
        await bundle.AddCommandAsync("machine.txt", null, stopping, "uname", "-a");
        await bundle.AddCommandAsync("disks.txt", null, stopping, "df", "-h");
        await bundle.AddCommandAsync("memory.txt", null, stopping, "free", "-m");
        await bundle.AddCommandAsync("clock.txt", null, stopping, "timedatectl");
        await bundle.AddCommandAsync("network.txt", null, stopping, "ip", "address");
        await bundle.AddFileAsync("resolv.conf.txt", "/etc/resolv.conf");
    }

    private static async Task<string> ReadStatusAsync(string runtimeDirectory, CancellationToken stopping)
    {
        try
        {
            using var client = new ControlClient(runtimeDirectory);
            return JsonSerializer.Serialize(await client.StatusAsync(null, stopping), ControlJson.Plain.StatusDocument);
        }
        catch (Exception exception) when (exception is ProblemException or HttpRequestException or IOException or JsonException)
        {
            return ExceptionMapping.ToProblem(exception) + "\n";
        }
    }
}
