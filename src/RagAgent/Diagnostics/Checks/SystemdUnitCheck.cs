using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Diagnostics.Checks;

/// <summary>Checks that the service starts at every boot, and that it is running.</summary>
internal sealed class SystemdUnitCheck : ICheck
{
    public string Name => "service";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => Evaluate(
        await Systemctl.ShowAsync(Systemctl.ServiceUnit, stopping), await Systemctl.ShowAsync(Systemctl.SocketUnit, stopping));

    /// <param name="service">The service's properties; null: systemd doesn't run here.</param>
    /// <param name="socket">The socket unit's properties; null: systemd doesn't run here.</param>
    public static CheckResult Evaluate(IReadOnlyDictionary<string, string>? service, IReadOnlyDictionary<string, string>? socket)
    {
        string Of(IReadOnlyDictionary<string, string>? unit, string property) => unit?.GetValueOrDefault(property) ?? "";
        var exit = $"({Of(service, "Result")}, exit code {Of(service, "ExecMainStatus")})";
        return (Of(service, "LoadState"), Of(service, "UnitFileState"), Of(service, "ActiveState")) switch
        {
            ("", _, _) => CheckResult.Skipped("systemd doesn't run here: the agent is started with 'ragagent run'."),
            ("not-found", _, _) => CheckResult.Skipped("It is not installed here as a service: the agent is started with 'ragagent run'."),
            ("masked", _, _) => Failed(
                $"{Systemctl.ServiceUnit} is masked, so it can't start.",
                $"systemctl unmask {Systemctl.ServiceUnit} && systemctl enable --now {Systemctl.ServiceUnit}"),
            (_, not ("enabled" or "static"), _) => Failed(
                $"{Systemctl.ServiceUnit} does not start at boot.", $"systemctl enable {Systemctl.ServiceUnit}"),
            (_, _, "failed") => Failed(
                $"{Systemctl.ServiceUnit} has failed {exit}.",
                $"See 'journalctl -u ragagent -n 30', then run 'systemctl start {Systemctl.ServiceUnit}'."),
            (_, _, "activating") when Of(service, "SubState") == "auto-restart" => Failed(
                $"{Systemctl.ServiceUnit} keeps exiting {exit}.", "See why with 'journalctl -u ragagent -n 30'."),
            (_, _, "active" or "activating" or "reloading") when Of(socket, "ActiveState") is not "active" => CheckResult.Warning(
                $"{Systemctl.ServiceUnit} is running, but {Systemctl.SocketUnit} is not: connections are refused while the agent restarts.",
                $"systemctl enable {Systemctl.SocketUnit} && systemctl restart {Systemctl.ServiceUnit}; " +
                $"see 'systemctl status {Systemctl.SocketUnit}' if it stops again."),
            (_, _, "active" or "activating" or "reloading") => CheckResult.Ok($"{Systemctl.ServiceUnit} is running and starts at boot."),
            _ => CheckResult.Warning(
                $"{Systemctl.ServiceUnit} starts at boot, but is not running now.", $"systemctl start {Systemctl.ServiceUnit}"),
        };
    }

    private static CheckResult Failed(string what, string remedy) => new(CheckOutcome.Failed, what, remedy);
}
