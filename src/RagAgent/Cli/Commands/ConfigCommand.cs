using System.CommandLine;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent config check</c>: says what is wrong with a configuration file, without touching anything.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The configuration file.", DefaultValueFactory = _ => Options.DefaultConfigFile };
        var fileOption = Options.ConfigFile();   // as the other commands have it
        var check = new Command("check", "Say whether a configuration file is valid, and every mistake with its line.") { file, fileOption };
        check.Validators.Add(result =>
        {
            if (result.GetResult(file) is { Implicit: false } && result.GetResult(fileOption) is { Implicit: false })
            {
                result.AddError("The file is named twice: once as FILE and once by --config.");
            }
        });
        check.SetAction(parsed => Check(parsed.GetResult(fileOption) is { Implicit: false } ? parsed.GetValue(fileOption)! : parsed.GetValue(file)!));
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

    /// <summary>Every mistake on a line of its own, as compilers write them.</summary>
    public static int ReportErrors(IReadOnlyList<ConfigError> problems)
    {
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }
        return ExitCodes.BadConfiguration;
    }
}
