using System.CommandLine;
using RagAgent.Cli.Commands;

namespace RagAgent.Cli;

/// <summary>The commands of the program.</summary>
internal static class CommandLine
{
    public static RootCommand Create() => new("Keeps the newest image of one container serving on this machine.")
    {
        RunCommand.Create(),
        StatusCommand.Create(),
        LogsCommand.Create(),
        DoctorCommand.Create(),
        SupportCommand.Create(),
        UpdateCommand.Create(),
        RollbackCommand.Create(),
        UnquarantineCommand.Create(),
        StopCommand.Create(),
        StartCommand.Create(),
        PasswordCommand.Create(),
        VolumesCommand.Create(),
        TryCommand.Create(),
        ExportCommand.Create(),
        ConfigCommand.Create(),
    };
}
