using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Proxy.Listening;
using RagAgent.Supervision;

namespace RagAgent.Cli;

/// <summary><c>ragagent doctor</c>: everything that the app needs to come up, checked now, and what mends it.</summary>
internal static class DoctorCommand
{
    private const int Margin = 20;

    public static Command Create()
    {
        var file = Options.ConfigFile();
        var directory = Options.RuntimeDirectory();
        var state = Options.StateDirectory();
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts; keys are only ever added." };
        var command = new Command("doctor", "Check all that the app needs to come up, and say what mends it. Exit code 0: all is well; 1: something failed; 2: something should be otherwise.") { json, file, directory, state };
        command.SetAction((parsed, stopping) =>
            RunAsync(parsed.GetValue(file)!, parsed.GetValue(directory)!, new StateDirectory(parsed.GetValue(state)!), parsed.GetValue(json), stopping));
        return command;
    }

    private static async Task<int> RunAsync(string file, string directory, StateDirectory state, bool json, CancellationToken stopping)
    {
        using var output = new AgentOutput(OutputKind.Plain, TextWriter.Null);
        var found = await ExamineAsync(file, directory, state, output, stopping);
        Console.Out.Write(json ? JsonSerializer.Serialize(found, DoctorJson.Default.DoctorDocument) + "\n" : LineWrap.Wrap(Text(found), LineWrap.Width, Margin));
        return found.Worst switch
        {
            "failed" => ExitCodes.Failed,
            "warning" => ExitCodes.Warnings,
            _ => ExitCodes.Ok,
        };
    }

    /// <param name="file">The configuration.</param>
    /// <param name="directory">Where the control socket is.</param>
    /// <param name="state">What the agent keeps.</param>
    /// <param name="output">Holds the secrets that were read.</param>
    /// <param name="stopping">Ends the checks.</param>
    public static async Task<DoctorDocument> ExamineAsync(string file, string directory, StateDirectory state, AgentOutput output, CancellationToken stopping)
    {
        var found = new List<(string Name, CheckResult Result)>();
        var read = ConfigReader.ReadFile(file);
        if (read.Config is { } config)
        {
            using var address = new ControlAddress(directory);
            found.Add(("config", await InUseAsync(file, read.Fingerprint, address, stopping)));
            // The same parts that the agent is made of, and none of them runs.
            using var host = AgentHost.Build(config, address, state, new SystemdNotifier(), ActivationSockets.None, output, new ConfigInUse());
            found.AddRange(await host.Services.GetRequiredService<Doctor>().ExamineAsync(stopping));
        }
        else
        {
            found.AddRange(read.Problems.Select(problem => ("config", new CheckResult(Finding.Failed, problem.ToString(), "Correct it; 'ragagent config check' looks again. The other checks need it."))));
        }
        return new DoctorDocument(AgentVersion.Short, Word(Worst(found.Select(f => f.Result.Finding))),
            [.. found.Select(f => new CheckDocument(f.Name, Word(f.Result.Finding), output.Vault.Scrub(f.Result.What), f.Result.Remedy, f.Result.Code))]);
    }

    /// <summary>What is checked is the file; what runs may be another one.</summary>
    private static async Task<CheckResult> InUseAsync(string file, string fingerprint, ControlAddress address, CancellationToken stopping)
    {
        try
        {
            using var agent = new ControlClient(address.Directory);
            return (await agent.StatusAsync(after: null, stopping)).ConfigFingerprint is { } inUse && inUse != fingerprint
                ? CheckResult.Warning($"{file} is valid, and is not what the agent that runs has read: it was changed since. What follows is of the file.", "systemctl reload ragagent")
                : CheckResult.Well($"{file} is valid.");
        }
        catch (ProblemException)
        {
            return CheckResult.Well($"{file} is valid.");   // that nobody answers is told by another check
        }
    }

    /// <summary>What is only a note, or does not apply here, is nothing to be mended: to a script, all is well.</summary>
    public static Finding Worst(IEnumerable<Finding> found) => found.Max() is var worst and >= Finding.Warning ? worst : Finding.Well;

    private static string Text(DoctorDocument found)
    {
        var text = new StringBuilder();
        foreach (var check in found.Checks)
        {
            text.Append($"{Mark(check.Finding),-8}{check.Name,-12}{check.What}\n");
            if (check.Remedy is { } remedy)
            {
                text.Append($"{"",Margin}{remedy}\n");
            }
        }
        var failed = found.Checks.Count(check => check.Finding == "failed");
        var warned = found.Checks.Count(check => check.Finding == "warning");
        return text.Append((failed, warned) switch
        {
            (0, 0) => "\nAll is well.\n",
            (0, _) => $"\nNothing failed; {warned} to look at.\n",
            _ => $"\n{failed} failed{(warned > 0 ? $", {warned} to look at" : "")}.\n",
        }).ToString();
    }

    private static string Mark(string finding) => finding switch { "ok" => "ok", "skipped" => "-", "note" => "note", "warning" => "look", _ => "FAILED" };

    private static string Word(Finding finding) => finding switch { Finding.Well => "ok", Finding.Skipped => "skipped", Finding.Note => "note", Finding.Warning => "warning", _ => "failed" };
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
