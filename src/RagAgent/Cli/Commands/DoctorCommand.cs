using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Logging;
using RagAgent.Proxy.Listening;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent doctor</c>: everything that the app needs to come up, checked now, and what mends it.</summary>
internal static class DoctorCommand
{
    private const int Indent = 20;

    public static Command Create()
    {
        var configFile = Options.ConfigFile();
        var runtimeDirectory = Options.RuntimeDirectory();
        var stateDirectory = Options.StateDirectory();
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts; keys are only ever added." };
        var command = new Command("doctor", "Check all that the app needs to come up, and say what mends it. Exit code 0: all is well; 1: something failed; 2: something should be otherwise.") { json, configFile, runtimeDirectory, stateDirectory };
        command.SetAction((parsed, stopping) =>
            RunAsync(parsed.GetValue(configFile)!, parsed.GetValue(runtimeDirectory)!, new StateDirectory(parsed.GetValue(stateDirectory)!), parsed.GetValue(json), stopping));
        return command;
    }

    private static async Task<int> RunAsync(string configFile, string runtimeDirectory, StateDirectory stateDirectory, bool json, CancellationToken stopping)
    {
        using var logging = new AgentLogging(OutputKind.Plain, TextWriter.Null);
        var results = await RunChecksAsync(configFile, runtimeDirectory, stateDirectory, logging, stopping);
        Console.Out.Write(json ? JsonSerializer.Serialize(results, DoctorJson.Default.DoctorDocument) + "\n" : LineWrap.Wrap(Format(results), LineWrap.TerminalWidth, Indent));
        return results.Worst switch
        {
            "failed" => ExitCodes.Failed,
            "warning" => ExitCodes.Warnings,
            _ => ExitCodes.Ok,
        };
    }

    /// <param name="configFile">The configuration.</param>
    /// <param name="runtimeDirectory">Where the control socket is.</param>
    /// <param name="stateDirectory">What the agent keeps.</param>
    /// <param name="logging">Holds the secrets that were read.</param>
    /// <param name="stopping">Ends the checks.</param>
    public static async Task<DoctorDocument> RunChecksAsync(string configFile, string runtimeDirectory, StateDirectory stateDirectory, AgentLogging logging, CancellationToken stopping)
    {
        var results = new List<(string Name, CheckResult Result)>();
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is { } config)
        {
            using var controlSocket = new ControlSocket(runtimeDirectory);
            results.Add(("config", await CheckInUseAsync(configFile, read.Fingerprint, controlSocket, stopping)));
            // The same parts that the agent is made of, and none of them runs.
            using var host = AgentHost.Build(config, controlSocket, stateDirectory, new SystemdNotifier(), ActivationSockets.None, logging, new ConfigInUse());
            results.AddRange(await host.Services.GetRequiredService<Doctor>().RunAllAsync(stopping));
        }
        else
        {
            results.AddRange(read.Errors.Select(problem => ("config", new CheckResult(CheckOutcome.Failed, problem.ToString(), "Correct it; 'ragagent config check' looks again. The other checks need it."))));
        }
        return new DoctorDocument(AgentVersion.Short, ToText(Worst(results.Select(f => f.Result.Outcome))),
            [.. results.Select(f => new CheckDocument(f.Name, ToText(f.Result.Outcome), logging.Vault.Scrub(f.Result.What), f.Result.Remedy, f.Result.Code))]);
    }

    /// <summary>What is checked is the file; what runs may be another one.</summary>
    private static async Task<CheckResult> CheckInUseAsync(string configFile, string fingerprint, ControlSocket controlSocket, CancellationToken stopping)
    {
        try
        {
            using var agent = new ControlClient(controlSocket.Directory);
            return (await agent.StatusAsync(after: null, stopping)).ConfigFingerprint is { } inUse && inUse != fingerprint
                ? CheckResult.Warning($"{configFile} is valid, and is not what the agent that runs has read: it was changed since. What follows is of the file.", "systemctl reload ragagent")
                : CheckResult.Ok($"{configFile} is valid.");
        }
        catch (ProblemException)
        {
            return CheckResult.Ok($"{configFile} is valid.");   // that nobody answers is told by another check
        }
    }

    /// <summary>What is only a note, or does not apply here, is nothing to be mended: to a script, all is well.</summary>
    public static CheckOutcome Worst(IEnumerable<CheckOutcome> results) => results.Max() is var worst and >= CheckOutcome.Warning ? worst : CheckOutcome.Ok;

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
            _ => $"\n{failed} failed{(warnings > 0 ? $", {warnings} to look at" : "")}.\n",
        }).ToString();
    }

    private static string Label(string finding) => finding switch { "ok" => "ok", "skipped" => "-", "note" => "note", "warning" => "look", _ => "FAILED" };

    private static string ToText(CheckOutcome finding) => finding switch { CheckOutcome.Ok => "ok", CheckOutcome.Skipped => "skipped", CheckOutcome.Note => "note", CheckOutcome.Warning => "warning", _ => "failed" };
}

/// <param name="Version">Of the agent.</param>
/// <param name="Worst"><c>ok</c> (or a note, or nothing that applies here), <c>warning</c> or <c>failed</c>.</param>
/// <param name="Checks">In the order in which one needs the other.</param>
internal sealed record DoctorDocument(string Version, string Worst, IReadOnlyList<CheckDocument> Checks);

/// <param name="Name">Stable.</param>
/// <param name="Finding"><c>ok</c>, <c>skipped</c>, <c>note</c>, <c>warning</c> or <c>failed</c>.</param>
/// <param name="What">One sentence.</param>
/// <param name="Remedy">What mends it; null: nothing is to be mended.</param>
/// <param name="Code">The problem's, stable; null: none is behind it.</param>
internal sealed record CheckDocument(string Name, string Finding, string What, string? Remedy, string? Code);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJson : JsonSerializerContext;
