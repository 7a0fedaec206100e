using System.CommandLine;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.Export.Kubernetes;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent export</c>: translates the configuration for platforms with more than one machine, without any request.</summary>
internal static class ExportCommand
{
    public static Command Create() =>
        new("export", "Print the configuration as documents for another platform, and notes on what they can't express.") { Ecs(), Kubernetes() };

    private static Command Ecs() =>
        new("ecs", "Documents for Amazon ECS on Fargate, each for --cli-input-json of an aws command.") { TaskDefinition(), TargetGroup(), Service() };

    private static Command TaskDefinition()
    {
        var location = new AwsLocationOptions();
        var role = TextOption("--execution-role", "ARN", "The role with which ECS pulls the image and reads the secrets.");
        var fileSystem = TextOption("--file-system", "ID", "The EFS file system with the data.");
        return AddExportAction(
            new Command("task-definition", "For 'aws ecs register-task-definition': the container.")
            {
                location.Region,
                location.Account,
                role,
                fileSystem,
            },
            (config, parsed) =>
                EcsTaskDefinition.Create(config, location.GetLocation(parsed), parsed.GetValue(role), parsed.GetValue(fileSystem)));
    }

    private static Command TargetGroup()
    {
        var vpc = TextOption("--vpc", "ID", "The VPC of the load balancer and the tasks.");
        return AddExportAction(
            new Command("target-group", "For 'aws elbv2 create-target-group': the health checks.") { vpc },
            (config, parsed) => EcsTargetGroup.Create(config, parsed.GetValue(vpc)));
    }

    private static Command Service()
    {
        var cluster = TextOption("--cluster", "NAME", "The cluster.");
        var targetGroup = TextOption("--target-group", "ARN", "The target group.");
        var subnets = IdsOption("--subnet", "A subnet for the task. Can be repeated.");
        var securityGroups = IdsOption("--security-group", "A security group of the task. Can be repeated.");
        return AddExportAction(
            new Command("service", "For 'aws ecs create-service': one task, and how it is replaced.")
            {
                cluster,
                targetGroup,
                subnets,
                securityGroups,
            },
            (config, parsed) => EcsService.Create(
                config,
                parsed.GetValue(cluster),
                parsed.GetValue(targetGroup),
                parsed.GetValue(subnets) ?? [],
                parsed.GetValue(securityGroups) ?? []));
    }

    private static Command Kubernetes()
    {
        var location = new AwsLocationOptions();
        return AddExportAction(
            new Command("kubernetes", "For 'kubectl apply -f -': a Deployment, a Service and a claim for the data.")
            {
                location.Region,
                location.Account,
            },
            (config, parsed) => KubernetesManifests.Create(config, location.GetLocation(parsed)));
    }

    /// <summary>The document goes to standard output, the notes to standard error.</summary>
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
                // Last, where they are seen. Not wrapped, because they contain commands to copy.
                await Console.Error.WriteAsync(FormatNotes(exported));
            }
            return code;
        });
        return command;
    }

    private static string FormatNotes(ExportResult exported)
    {
        var text = new StringBuilder();
        Section("Fill in:", exported.Placeholders.Select(Describe));
        Section("Before you use it:", exported.Steps);
        Section("Differences:", exported.Remarks.Select(remark => $"{string.Join(", ", remark.Keys)}: {remark.Sentence}"));
        return text.ToString();

        static string Describe(Placeholder placeholder) =>
            $"{placeholder.Text}: {placeholder.Meaning}{(placeholder.Option is { } option ? $" ({option})" : "")}";

        void Section(string title, IEnumerable<string> entries)
        {
            foreach (var (index, entry) in entries.Index())
            {
                var indented = entry.Replace("\n", "\n    ", StringComparison.Ordinal);
                text.Append(index == 0 ? $"{title}\n" : "").Append($"  {indented}\n");
            }
        }
    }

    private static Option<string?> TextOption(
        string name,
        string helpName,
        string description,
        Func<string, RuleViolation?>? rule = null) => new(name)
        {
            Description = description,
            HelpName = helpName,
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

    /// <summary>Options for what an instance detects automatically.</summary>
    private sealed class AwsLocationOptions
    {
        private const int AccountIdLength = 12;

        public Option<string?> Region { get; } = TextOption(
            "--region",
            "REGION",
            "The region of the image and the secrets. Defaults to aws.region of the configuration.",
            NameRules.ValidateRegion);

        public Option<string?> Account { get; } = TextOption(
            "--account",
            "DIGITS",
            "The AWS account of the image and the secrets.",
            text => text.Length == AccountIdLength && text.All(char.IsAsciiDigit)
                ? null
                : new RuleViolation("be an account ID of twelve digits"));

        public AwsLocation GetLocation(ParseResult parsed) => new(parsed.GetValue(Region), parsed.GetValue(Account));
    }
}
