using System.ComponentModel;
using System.Diagnostics;

namespace RagAgent.Diagnostics;

/// <summary>Asks systemd about the units of the package, and about itself.</summary>
internal static class Systemd
{
    public const string Service = "ragagent.service";
    public const string Socket = "ragagent.socket";
    private const string Runs = "/run/systemd/system";

    /// <summary>A unit's properties, as <c>systemctl show</c> tells them.</summary>
    /// <returns>Null: no systemd runs here.</returns>
    public static async Task<IReadOnlyDictionary<string, string>?> ShowAsync(string unit, CancellationToken stopping) =>
        await AskAsync(["show", unit], stopping) is { } text ? Parse(text) : null;

    /// <summary>What systemd is about to do, a line each.</summary>
    /// <returns>Null: no systemd runs here.</returns>
    public static Task<string?> JobsAsync(CancellationToken stopping) => AskAsync(["list-jobs", "--no-legend", "--no-pager", "--plain"], stopping);

    private static async Task<string?> AskAsync(string[] what, CancellationToken stopping)
    {
        if (!Directory.Exists(Runs))
        {
            return null;
        }
        try
        {
            var start = new ProcessStartInfo("systemctl", what) { UseShellExecute = false, RedirectStandardOutput = true };
            start.Environment.Remove("NOTIFY_SOCKET");   // the service's own voice: it would speak with it
            using var systemctl = Process.Start(start)!;
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
    public static IReadOnlyDictionary<string, string> Parse(string text) => text.Split('\n')
        .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
        .GroupBy(pair => pair[0]).ToDictionary(same => same.Key, same => string.Join('\n', same.Select(pair => pair[1])));
}

/// <summary>Does the service start at every boot, and does it run?</summary>
internal sealed class UnitCheck : ICheck
{
    public string Name => "service";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => Judge(await Systemd.ShowAsync(Systemd.Service, stopping), await Systemd.ShowAsync(Systemd.Socket, stopping));

    /// <param name="service">The service's properties; null: no systemd runs here.</param>
    /// <param name="socket">Its socket's.</param>
    public static CheckResult Judge(IReadOnlyDictionary<string, string>? service, IReadOnlyDictionary<string, string>? socket)
    {
        string Of(IReadOnlyDictionary<string, string>? unit, string property) => unit?.GetValueOrDefault(property) ?? "";
        return (Of(service, "LoadState"), Of(service, "UnitFileState"), Of(service, "ActiveState")) switch
        {
            ("", _, _) => CheckResult.Skipped("No systemd runs here: somebody starts the agent with 'ragagent run'."),
            ("not-found", _, _) => CheckResult.Skipped("It is not installed here as a service: somebody starts the agent with 'ragagent run'."),
            ("masked", _, _) => Failed($"{Systemd.Service} is masked, so it can't be started.", $"systemctl unmask {Systemd.Service} && systemctl enable --now {Systemd.Service}"),
            (_, not ("enabled" or "static"), _) => Failed($"{Systemd.Service} does not start at boot.", $"systemctl enable {Systemd.Service}"),
            (_, _, "failed") => Failed($"{Systemd.Service} has failed ({Of(service, "Result")}, exit code {Of(service, "ExecMainStatus")}).", $"See 'journalctl -u ragagent -n 30', then 'systemctl start {Systemd.Service}'."),
            (_, _, "activating") when Of(service, "SubState") == "auto-restart" =>
                Failed($"{Systemd.Service} ends again and again ({Of(service, "Result")}, exit code {Of(service, "ExecMainStatus")}).", "See why: 'journalctl -u ragagent -n 30'."),
            (_, _, "active" or "activating" or "reloading") when Of(socket, "ActiveState") is not "active" =>
                CheckResult.Warning($"{Systemd.Service} runs, and {Systemd.Socket} does not: visitors are refused while the agent restarts.", $"systemctl enable {Systemd.Socket} && systemctl restart {Systemd.Service}; see 'systemctl status {Systemd.Socket}' when it does not stay."),
            (_, _, "active" or "activating" or "reloading") => CheckResult.Well($"{Systemd.Service} runs and starts at boot."),
            _ => CheckResult.Warning($"{Systemd.Service} starts at boot, and does not run now.", $"systemctl start {Systemd.Service}"),
        };
    }

    private static CheckResult Failed(string what, string remedy) => new(Finding.Failed, what, remedy);
}
