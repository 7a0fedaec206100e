using System.CommandLine;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.Export.Kubernetes;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent export</c>: the configuration as documents for another engine, for who needs more than one machine. It asks nobody, and changes nothing.</summary>
internal static class ExportCommand
{
    public static Command Create() => new("export", "Print the configuration as documents for another engine, and what they leave behind.") { Ecs(), Kubernetes() };

    private static Command Ecs() => new("ecs", "Documents for Amazon ECS on Fargate, each for --cli-input-json of an aws command.") { TaskDefinition(), TargetGroup(), Service() };

    private static Command TaskDefinition()
    {
        var location = new AwsLocationOptions();
        var (role, fileSystem) = (TextOption("--execution-role", "ARN", "The role by which ECS pulls the image and reads the secrets."), TextOption("--file-system", "ID", "The EFS file system that has the data."));
        return AddExportAction(
            new Command("task-definition", "For 'aws ecs register-task-definition': the container.") { location.Region, location.Account, role, fileSystem },
            (config, parsed) => EcsTaskDefinition.Create(config, location.GetLocation(parsed), parsed.GetValue(role), parsed.GetValue(fileSystem)));
    }

    private static Command TargetGroup()
    {
        var vpc = TextOption("--vpc", "ID", "The VPC of the load balancer and the tasks.");
        return AddExportAction(
            new Command("target-group", "For 'aws elbv2 create-target-group': how the app is asked whether it is well.") { vpc },
            (config, parsed) => EcsTargetGroup.Create(config, parsed.GetValue(vpc)));
    }

    private static Command Service()
    {
        var (cluster, group) = (TextOption("--cluster", "NAME", "The cluster."), TextOption("--target-group", "ARN", "The target group."));
        var (subnets, security) = (IdsOption("--subnet", "A subnet that the task may run in; may be repeated."), IdsOption("--security-group", "A security group of the task; may be repeated."));
        return AddExportAction(
            new Command("service", "For 'aws ecs create-service': one task, and how it is exchanged.") { cluster, group, subnets, security },
            (config, parsed) => EcsService.Create(config, parsed.GetValue(cluster), parsed.GetValue(group), parsed.GetValue(subnets) ?? [], parsed.GetValue(security) ?? []));
    }

    private static Command Kubernetes()
    {
        var location = new AwsLocationOptions();
        return AddExportAction(
            new Command("kubernetes", "For 'kubectl apply -f -': Deployment, Service and the claim for the data.") { location.Region, location.Account },
            (config, parsed) => KubernetesManifests.Create(config, location.GetLocation(parsed)));
    }

    /// <summary>The document goes to standard output, all that is to be known of it to standard error.</summary>
    private static Command AddExportAction(Command command, Func<AgentConfig, ParseResult, ExportResult> export)
    {
        var configFile = Options.ConfigFile();
        command.Add(configFile);
        command.SetAction(async (parsed, _) =>
        {
            var read = ConfigReader.ReadFile(parsed.GetValue(configFile)!);
            if (read.Config is not { } config)
            {
                return ConfigCommand.ReportErrors(read.Errors);
            }
            var exported = export(config, parsed);
            var code = await StandardOutput.WriteAsync(JsonFormatter.Format(exported.Document));
            if (code == ExitCodes.Ok)
            {
                // Last, where it is seen; its lines stay whole also at a terminal, for there are commands in them that are copied from there.
                await Console.Error.WriteAsync(FormatNotes(exported));
            }
            return code;
        });
        return command;
    }

    private static string FormatNotes(ExportResult exported)
    {
        var text = new StringBuilder();
        Section("Fill in:", exported.Placeholders.Select(placeholder => $"{placeholder.Text}: {placeholder.Meaning}{(placeholder.Option is { } option ? $" ({option})" : "")}"));
        Section("Before it can be used:", exported.Steps);
        Section("Not as it is here:", exported.Remarks.Select(remark => $"{string.Join(", ", remark.Keys)}: {remark.Sentence}"));
        return text.ToString();

        void Section(string title, IEnumerable<string> entries)
        {
            foreach (var (index, entry) in entries.Index())
            {
                text.Append(index == 0 ? $"{title}\n" : "").Append("  ").Append(entry.Replace("\n", "\n    ", StringComparison.Ordinal)).Append('\n');
            }
        }
    }

    private static Option<string?> TextOption(string name, string kind, string description, Func<string, RuleViolation?>? rule = null) => new(name)
    {
        Description = description,
        HelpName = kind,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            var violation = rule?.Invoke(text);
            if (text.Length == 0 || violation is not null)
            {
                result.AddError(violation is null ? $"{name} is empty." : $"{name} must {violation.Requirement}.");
            }
            return text;
        },
    };

    private static Option<string[]> IdsOption(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "ID" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0))
            {
                result.AddError($"{name} is empty.");
            }
        });
        return option;
    }

    /// <summary>What an instance knows of itself.</summary>
    private sealed class AwsLocationOptions
    {
        private const int AccountIdLength = 12;

        public Option<string?> Region { get; } = TextOption("--region", "REGION", "The region of the image and the secrets; without it that of the configuration.", NameRules.ValidateRegion);

        public Option<string?> Account { get; } = TextOption("--account", "DIGITS", "The AWS account that has them.",
            text => text.Length == AccountIdLength && text.All(char.IsAsciiDigit) ? null : new RuleViolation("be the twelve digits of an account"));

        public AwsLocation GetLocation(ParseResult parsed) => new(parsed.GetValue(Region), parsed.GetValue(Account));
    }
}
