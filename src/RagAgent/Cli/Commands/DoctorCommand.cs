using System.CommandLine;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Logging;
using RagAgent.Proxy.Listening;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent doctor</c>: checks everything that the app needs.</summary>
internal static class DoctorCommand
{
    private const int Indent = 20;

    public static Command Create()
    {
        var configFile = Options.ConfigFile();
        var runtimeDirectory = Options.RuntimeDirectory();
        var stateDirectory = Options.StateDirectory();
        var json = new Option<bool>("--json") { Description = "Print JSON, for scripts. Keys are never renamed or removed." };
        var command = new Command(
            "doctor",
            "Check everything that the app needs, and suggest fixes. Exit code 0: all is well; 1: something failed; 2: there are warnings.")
        {
            json,
            configFile,
            runtimeDirectory,
            stateDirectory,
        };
        command.SetAction((parsed, stopping) => RunAsync(
            parsed.GetValue(configFile)!,
            parsed.GetValue(runtimeDirectory)!,
            new StateDirectory(parsed.GetValue(stateDirectory)!),
            parsed.GetValue(json),
            stopping));
        return command;
    }

    private static async Task<int> RunAsync(
        string configFile,
        string runtimeDirectory,
        StateDirectory stateDirectory,
        bool json,
        CancellationToken stopping)
    {
        using var logging = new AgentLogging(OutputKind.Plain, TextWriter.Null);
        var results = await RunChecksAsync(configFile, runtimeDirectory, stateDirectory, logging, stopping);
        Console.Out.Write(json
            ? JsonSerializer.Serialize(results, DoctorJson.Default.DoctorDocument) + "\n"
            : LineWrap.Wrap(Format(results), LineWrap.TerminalWidth, Indent));
        return results.Worst switch
        {
            "failed" => ExitCodes.Failed,
            "warning" => ExitCodes.Warnings,
            _ => ExitCodes.Ok,
        };
    }

    /// <param name="configFile">The configuration file.</param>
    /// <param name="runtimeDirectory">The directory of the control socket.</param>
    /// <param name="stateDirectory">The directory of the persisted state.</param>
    /// <param name="logging">Its vault then has the secrets that the checks read.</param>
    /// <param name="stopping">Cancels the checks.</param>
    public static async Task<DoctorDocument> RunChecksAsync(
        string configFile,
        string runtimeDirectory,
        StateDirectory stateDirectory,
        AgentLogging logging,
        CancellationToken stopping)
    {
        var results = new List<(string Name, CheckResult Result)>();
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is { } config)
        {
            using var controlSocket = new ControlSocketLock(runtimeDirectory);
            results.Add(("config", await CheckInUseAsync(configFile, read.Fingerprint, controlSocket, stopping)));
            // The checks use the parts of the agent, but the host is never started.
            using var host = AgentHost.Build(
                config,
                controlSocket,
                stateDirectory,
                new SystemdNotifier(),
                ActivationSockets.None,
                logging,
                new ConfigInUse());
            results.AddRange(await host.Services.GetRequiredService<Doctor>().RunAllAsync(stopping));
        }
        else
        {
            const string Remedy = "Correct it, then run 'ragagent config check'. The other checks need a valid configuration.";
            results.AddRange(read.Errors.Select(error => ("config", new CheckResult(CheckOutcome.Failed, error.ToString(), Remedy))));
        }
        return new DoctorDocument(
            AgentVersion.Short,
            ToText(Worst(results.Select(check => check.Result.Outcome))),
            [.. results.Select(check => ToDocument(check.Name, check.Result, logging))]);
    }

    private static CheckDocument ToDocument(string name, CheckResult result, AgentLogging logging) =>
        new(name, ToText(result.Outcome), logging.Vault.Scrub(result.What), result.Remedy, result.Code);

    /// <summary>The checks use the file; the running agent may have read another version of it.</summary>
    private static async Task<CheckResult> CheckInUseAsync(
        string configFile,
        string fingerprint,
        ControlSocketLock controlSocket,
        CancellationToken stopping)
    {
        try
        {
            using var agent = new ControlClient(controlSocket.Directory);
            return (await agent.StatusAsync(after: null, stopping)).ConfigFingerprint is { } inUse && inUse != fingerprint
                ? CheckResult.Warning(
                    $"{configFile} is valid, but the running agent uses an older version of it. The checks below use the file.",
                    "systemctl reload ragagent")
                : CheckResult.Ok($"{configFile} is valid.");
        }
        catch (ProblemException)
        {
            return CheckResult.Ok($"{configFile} is valid.");   // another check reports that no agent answers
        }
    }

    /// <summary>Notes and skipped checks need no fix, so they count as ok.</summary>
    public static CheckOutcome Worst(IEnumerable<CheckOutcome> results) =>
        results.Max() is var worst and >= CheckOutcome.Warning ? worst : CheckOutcome.Ok;

    private static string Format(DoctorDocument results)
    {
        var text = new StringBuilder();
        foreach (var check in results.Checks)
        {
            text.Append($"{Label(check.Finding),-8}{check.Name,-12}{check.What}\n");
            if (check.Remedy is { } remedy)
            {
                text.Append($"{"",Indent}{remedy}\n");
            }
        }
        var failed = results.Checks.Count(check => check.Finding == "failed");
        var warnings = results.Checks.Count(check => check.Finding == "warning");
        return text.Append((failed, warnings) switch
        {
            (0, 0) => "\nAll is well.\n",
            (0, _) => $"\nNothing failed; {warnings} to look at.\n",
            (_, 0) => $"\n{failed} failed.\n",
            _ => $"\n{failed} failed, {warnings} to look at.\n",
        }).ToString();
    }

    private static string Label(string finding) => finding switch
    {
        "ok" => "ok",
        "skipped" => "-",
        "note" => "note",
        "warning" => "look",
        _ => "FAILED",
    };

    private static string ToText(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Ok => "ok",
        CheckOutcome.Skipped => "skipped",
        CheckOutcome.Note => "note",
        CheckOutcome.Warning => "warning",
        _ => "failed",
    };
}
