using System.CommandLine;
using RagAgent.Cli.Commands;

namespace RagAgent.Cli;

/// <summary>All that can be asked of the program.</summary>
internal static class CommandLine
{
    public static RootCommand Create() => new("Keeps the newest image of one container serving on this machine, and answers for it.")
    {
        RunCommand.Create(),      // the service; what systemd starts
        StatusCommand.Create(),   // asks the running service
        LogsCommand.Create(),     // asks the journal
        DoctorCommand.Create(),   // checks all that the app needs
        SupportCommand.Create(),  // an archive for who is to help
        UpdateCommand.Create(),   // is there something newer? then run that
        RollbackCommand.Create(), // back to the one before
        UnquarantineCommand.Create(), // another chance for one that failed
        StopCommand.Create(),     // the app, not the agent
        StartCommand.Create(),
        PasswordCommand.Create(), // makes the hash of one, for access.password
        VolumesCommand.Create(),  // makes the folders that the app keeps its data in
        ExportCommand.Create(),   // the same for another engine
        ConfigCommand.Create(),   // says what is wrong with the configuration file
    };
}
