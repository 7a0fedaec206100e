using System.ComponentModel;
using System.Diagnostics;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Asks systemd about the units of the package, and about itself.</summary>
internal static class Systemctl
{
    public const string ServiceUnit = "ragagent.service";
    public const string SocketUnit = "ragagent.socket";
    private const string RunningMarker = "/run/systemd/system";

    /// <summary>A unit's properties, as <c>systemctl show</c> tells them.</summary>
    /// <returns>Null: no systemd runs here.</returns>
    public static async Task<IReadOnlyDictionary<string, string>?> ShowAsync(string unit, CancellationToken stopping) =>
        await RunAsync(["show", unit], stopping) is { } text ? ParseProperties(text) : null;

    /// <summary>What systemd is about to do, a line each.</summary>
    /// <returns>Null: no systemd runs here.</returns>
    public static Task<string?> ListJobsAsync(CancellationToken stopping) => RunAsync(["list-jobs", "--no-legend", "--no-pager", "--plain"], stopping);

    private static async Task<string?> RunAsync(string[] arguments, CancellationToken stopping)
    {
        if (!Directory.Exists(RunningMarker))
        {
            return null;
        }
        try
        {
            var startInfo = new ProcessStartInfo("systemctl", arguments) { UseShellExecute = false, RedirectStandardOutput = true };
            startInfo.Environment.Remove("NOTIFY_SOCKET");   // the service's own voice: it would speak with it
            using var systemctl = Process.Start(startInfo)!;
            var text = await systemctl.StandardOutput.ReadToEndAsync(stopping);
            await systemctl.WaitForExitAsync(stopping);
            return text;
        }
        catch (Win32Exception)
        {
            return null;   // it is not installed
        }
    }

    /// <summary>A property that is told more than once has a line for each.</summary>
    public static IReadOnlyDictionary<string, string> ParseProperties(string text) => text.Split('\n')
        .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
        .GroupBy(pair => pair[0]).ToDictionary(same => same.Key, same => string.Join('\n', same.Select(pair => pair[1])));
}

/// <summary>Does the service start at every boot, and does it run?</summary>
internal sealed class SystemdUnitCheck : ICheck
{
    public string Name => "service";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => Evaluate(await Systemctl.ShowAsync(Systemctl.ServiceUnit, stopping), await Systemctl.ShowAsync(Systemctl.SocketUnit, stopping));

    /// <param name="service">The service's properties; null: no systemd runs here.</param>
    /// <param name="socket">Its socket's.</param>
    public static CheckResult Evaluate(IReadOnlyDictionary<string, string>? service, IReadOnlyDictionary<string, string>? socket)
    {
        string Of(IReadOnlyDictionary<string, string>? unit, string property) => unit?.GetValueOrDefault(property) ?? "";
        return (Of(service, "LoadState"), Of(service, "UnitFileState"), Of(service, "ActiveState")) switch
        {
            ("", _, _) => CheckResult.Skipped("No systemd runs here: somebody starts the agent with 'ragagent run'."),
            ("not-found", _, _) => CheckResult.Skipped("It is not installed here as a service: somebody starts the agent with 'ragagent run'."),
            ("masked", _, _) => Failed($"{Systemctl.ServiceUnit} is masked, so it can't be started.", $"systemctl unmask {Systemctl.ServiceUnit} && systemctl enable --now {Systemctl.ServiceUnit}"),
            (_, not ("enabled" or "static"), _) => Failed($"{Systemctl.ServiceUnit} does not start at boot.", $"systemctl enable {Systemctl.ServiceUnit}"),
            (_, _, "failed") => Failed($"{Systemctl.ServiceUnit} has failed ({Of(service, "Result")}, exit code {Of(service, "ExecMainStatus")}).", $"See 'journalctl -u ragagent -n 30', then 'systemctl start {Systemctl.ServiceUnit}'."),
            (_, _, "activating") when Of(service, "SubState") == "auto-restart" =>
                Failed($"{Systemctl.ServiceUnit} ends again and again ({Of(service, "Result")}, exit code {Of(service, "ExecMainStatus")}).", "See why: 'journalctl -u ragagent -n 30'."),
            (_, _, "active" or "activating" or "reloading") when Of(socket, "ActiveState") is not "active" =>
                CheckResult.Warning($"{Systemctl.ServiceUnit} runs, and {Systemctl.SocketUnit} does not: visitors are refused while the agent restarts.", $"systemctl enable {Systemctl.SocketUnit} && systemctl restart {Systemctl.ServiceUnit}; see 'systemctl status {Systemctl.SocketUnit}' when it does not stay."),
            (_, _, "active" or "activating" or "reloading") => CheckResult.Ok($"{Systemctl.ServiceUnit} runs and starts at boot."),
            _ => CheckResult.Warning($"{Systemctl.ServiceUnit} starts at boot, and does not run now.", $"systemctl start {Systemctl.ServiceUnit}"),
        };
    }

    private static CheckResult Failed(string what, string remedy) => new(CheckOutcome.Failed, what, remedy);
}
