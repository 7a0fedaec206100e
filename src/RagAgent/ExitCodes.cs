namespace RagAgent;

/// <summary>What the process says to the shell and to systemd. Documented in docs/operations.md.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>What was asked for did not come true: the app does not serve, an update failed, a loop of the agent broke.</summary>
    public const int Failed = 1;

    /// <summary><c>ragagent doctor</c>: it works, and something should be otherwise.</summary>
    public const int Warnings = 2;

    /// <summary>The agent that a command talks to does not run, or does not answer.</summary>
    public const int NotRunning = 3;

    /// <summary>The command line is not understood (sysexits' EX_USAGE); systemd does not restart on it.</summary>
    public const int Usage = 64;

    /// <summary>Another agent looks after the same container.</summary>
    public const int AlreadyRunning = 75;

    /// <summary>This user may not talk to the agent (sysexits' EX_NOPERM); whether it runs is not known.</summary>
    public const int Denied = 77;

    /// <summary>The configuration can't be used; systemd does not restart on it.</summary>
    public const int BadConfiguration = 78;
}
