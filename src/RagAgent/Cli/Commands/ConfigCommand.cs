using System.CommandLine;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent config check</c>: validates a configuration file without changing anything.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The configuration file.",
            DefaultValueFactory = _ => Options.DefaultConfigFile,
        };
        var fileOption = Options.ConfigFile();   // for consistency with the other commands
        var check = new Command("check", "Check a configuration file and list all errors with their lines.") { file, fileOption };
        check.Validators.Add(result =>
        {
            if (result.GetResult(file) is { Implicit: false } && result.GetResult(fileOption) is { Implicit: false })
            {
                result.AddError("The file is given twice: as FILE and with --config.");
            }
        });
        check.SetAction(parsed =>
        {
            var isOptionGiven = parsed.GetResult(fileOption) is { Implicit: false };
            return Check(isOptionGiven ? parsed.GetValue(fileOption)! : parsed.GetValue(file)!);
        });
        return new Command("config", "Work with the configuration file.") { check };
    }

    private static int Check(string file)
    {
        var read = ConfigReader.ReadFile(file);
        if (read.Config is null)
        {
            return ReportErrors(read.Errors);
        }
        Console.WriteLine($"{file} is valid.");
        return ExitCodes.Ok;
    }

    /// <summary>Prints one error per line, in the format of compilers.</summary>
    public static int ReportErrors(IReadOnlyList<ConfigError> problems)
    {
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }
        return ExitCodes.BadConfiguration;
    }
}
