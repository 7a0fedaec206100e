namespace RagAgent;

/// <summary>Exit codes of all commands. Documented in docs/operations.md.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The goal was not reached: the app does not serve, an update failed, or a part of the agent failed.</summary>
    public const int Failed = 1;

    /// <summary><c>ragagent doctor</c>: nothing failed, but there are warnings.</summary>
    public const int Warnings = 2;

    /// <summary>The agent does not run or does not answer.</summary>
    public const int NotRunning = 3;

    /// <summary>Invalid command line (EX_USAGE of sysexits). systemd does not restart the service.</summary>
    public const int Usage = 64;

    /// <summary>Another agent manages the same container (EX_TEMPFAIL of sysexits).</summary>
    public const int AlreadyRunning = 75;

    /// <summary>This user has no access to the agent, so it is unknown whether it runs (EX_NOPERM of sysexits).</summary>
    public const int Denied = 77;

    /// <summary>Invalid configuration (EX_CONFIG of sysexits). systemd does not restart the service.</summary>
    public const int BadConfiguration = 78;
}
