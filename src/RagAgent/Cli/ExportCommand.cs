using System.CommandLine;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Export;

namespace RagAgent.Cli;

/// <summary><c>ragagent export</c>: the configuration as documents for another engine, for who needs more than one machine. It asks nobody, and changes nothing.</summary>
internal static class ExportCommand
{
    public static Command Create() => new("export", "Print the configuration as documents for another engine, and what they leave behind.") { Ecs(), Kubernetes() };

    private static Command Ecs() => new("ecs", "Documents for Amazon ECS on Fargate, each for --cli-input-json of an aws command.") { TaskDefinition(), TargetGroup(), Service() };

    private static Command TaskDefinition()
    {
        var place = new Place();
        var (role, fileSystem) = (Text("--execution-role", "ARN", "The role by which ECS pulls the image and reads the secrets."), Text("--file-system", "ID", "The EFS file system that has the data."));
        return Printing(
            new Command("task-definition", "For 'aws ecs register-task-definition': the container.") { place.Region, place.Account, role, fileSystem },
            (config, parsed) => EcsTaskDefinition.Of(config, place.Of(parsed), parsed.GetValue(role), parsed.GetValue(fileSystem)));
    }

    private static Command TargetGroup()
    {
        var vpc = Text("--vpc", "ID", "The VPC of the load balancer and the tasks.");
        return Printing(
            new Command("target-group", "For 'aws elbv2 create-target-group': how the app is asked whether it is well.") { vpc },
            (config, parsed) => EcsTargetGroup.Of(config, parsed.GetValue(vpc)));
    }

    private static Command Service()
    {
        var (cluster, group) = (Text("--cluster", "NAME", "The cluster."), Text("--target-group", "ARN", "The target group."));
        var (subnets, security) = (Texts("--subnet", "A subnet that the task may run in; may be repeated."), Texts("--security-group", "A security group of the task; may be repeated."));
        return Printing(
            new Command("service", "For 'aws ecs create-service': one task, and how it is exchanged.") { cluster, group, subnets, security },
            (config, parsed) => EcsService.Of(config, parsed.GetValue(cluster), parsed.GetValue(group), parsed.GetValue(subnets) ?? [], parsed.GetValue(security) ?? []));
    }

    private static Command Kubernetes()
    {
        var place = new Place();
        return Printing(
            new Command("kubernetes", "For 'kubectl apply -f -': Deployment, Service and the claim for the data.") { place.Region, place.Account },
            (config, parsed) => KubernetesManifests.Of(config, place.Of(parsed)));
    }

    /// <summary>The document goes to standard output, all that is to be known of it to standard error.</summary>
    private static Command Printing(Command command, Func<AgentConfig, ParseResult, Exported> export)
    {
        var file = Options.ConfigFile();
        command.Add(file);
        command.SetAction(async (parsed, _) =>
        {
            var read = ConfigReader.ReadFile(parsed.GetValue(file)!);
            if (read.Config is not { } config)
            {
                return ConfigCommand.Refuse(read.Problems);
            }
            var exported = export(config, parsed);
            var code = await Output.TellAsync(JsonText.Of(exported.Document));
            if (code == ExitCodes.Ok)
            {
                // Last, where it is seen; its lines stay whole also at a terminal, for there are commands in them that are copied from there.
                await Console.Error.WriteAsync(Told(exported));
            }
            return code;
        });
        return command;
    }

    private static string Told(Exported exported)
    {
        var text = new StringBuilder();
        Section("Fill in:", exported.Blanks.Select(blank => $"{blank.Mark}: {blank.What}{(blank.Option is { } option ? $" ({option})" : "")}"));
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

    private static Option<string?> Text(string name, string kind, string description, Func<string, Refusal?>? rule = null) => new(name)
    {
        Description = description,
        HelpName = kind,
        CustomParser = given =>
        {
            var text = given.Tokens[^1].Value;
            var refusal = rule?.Invoke(text);
            if (text.Length == 0 || refusal is not null)
            {
                given.AddError(refusal is null ? $"{name} is empty." : $"{name} must {refusal.Must}.");
            }
            return text;
        },
    };

    private static Option<string[]> Texts(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "ID" };
        option.Validators.Add(given =>
        {
            if (given.Tokens.Any(token => token.Value.Length == 0))
            {
                given.AddError($"{name} is empty.");
            }
        });
        return option;
    }

    /// <summary>What an instance knows of itself.</summary>
    private sealed class Place
    {
        private const int DigitsOfAnAccount = 12;

        public Option<string?> Region { get; } = Text("--region", "REGION", "The region of the image and the secrets; without it that of the configuration.", NameRules.Region);

        public Option<string?> Account { get; } = Text("--account", "DIGITS", "The AWS account that has them.",
            text => text.Length == DigitsOfAnAccount && text.All(char.IsAsciiDigit) ? null : new Refusal("be the twelve digits of an account"));

        public AwsPlace Of(ParseResult parsed) => new(parsed.GetValue(Region), parsed.GetValue(Account));
    }
}
