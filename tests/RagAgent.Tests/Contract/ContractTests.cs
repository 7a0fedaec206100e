using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;
using RagAgent.Cli;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Logging;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.Export.Kubernetes;
using RagAgent.Reporting;
using RagAgent.Secrets;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Configuration;
using RagAgent.Tests.Export;
using RagAgent.Tests.Support;
using Xunit;
using ContainerSpec = RagAgent.Containers.ContainerSpec;
using Labels = RagAgent.Containers.Labels;

namespace RagAgent.Tests.Contract;

/// <summary>Refactoring must not change what users and their programs rely on. README.md has the list.</summary>
public sealed partial class ContractTests
{
    [Fact]
    public void Every_log_event_keeps_its_name_ID_level_message_ID_and_fields() =>
        Pinned.Matches("events.txt", LogEvent.All.Select(log => string.Join(' ',
            log.JournalName,
            log.Id,
            log.Level.ToString().ToLowerInvariant(),
            log.HasProblem ? "of-its-problem" : MessageId.For(log.JournalName),
            log.Fields.Count == 0 ? "-" : string.Join(',', log.Fields))));

    [Fact]
    public void Every_log_event_has_an_explicit_name() =>
        Assert.Empty(LogEvent.All.Where(log => string.IsNullOrEmpty(log.Name))
            .Select(log => $"Event {log.Id} has no EventName: renaming its method would rename it."));

    [Fact]
    public void Every_problem_keeps_its_code_and_message_ID() =>
        Pinned.Matches("problem-codes.txt", ProblemCodes.All.Select(code => $"{code} {MessageId.For(code)}"));

    [Fact]
    public async Task A_container_keeps_its_labels_and_their_values()
    {
        var config = ExportSamples.Read(ExportSamples.Complete);
        var withParameters = ExportSamples.Read("""{ "image": "app", "secrets": { "A": "/a", "B": { "ssm": "/b", "json": "key" } } }""");
        var reader = new SecretReader(withParameters, new Parameters(), new SecretVault());
        var secrets = await reader.ReadAsync(TestContext.Current.CancellationToken);
        var image = new ImageName("registry/app", "sha256:" + new string('a', 64));
        var release = new Release(image, ContainerSpec.ComputeFingerprint(config), secrets.Fingerprint);
        var create = new ContainerSpec(config).BuildCreateParameters("app", release, new ImageInspectResponse(), []);
        Labels.Annotate(create.Labels!, new ImageName("registry/app", "sha256:good"), new ImageName("registry/app", "sha256:avoided"));

        Pinned.Matches("labels.txt", create.Labels!.Select(label => $"{label.Key}={label.Value}"));
    }

    [Fact]
    public void Every_configuration_key_keeps_its_name_values_and_default() =>
        Pinned.Matches("configuration.txt", from key in SchemaKeys.Keys(SchemaKeys.Load())
                                            let type = key.Value["type"]?.ToJsonString() ?? "any"
                                            let value = key.Value["default"]?.ToJsonString() ?? "none"
                                            let choices = key.Value["enum"] is { } words ? $" values={words.ToJsonString()}" : ""
                                            select $"{key.Key} type={type} default={value}{choices}");

    [Fact]
    public void Every_JSON_document_keeps_its_keys() =>
        Pinned.Matches("json-keys.txt",
        [
            .. JsonKeys.Of("status ", ControlJson.Default.StatusDocument),
            .. JsonKeys.Of("status ", CompactJson.Default.StatusDocument),
            .. JsonKeys.Of("request-accepted ", ControlJson.Default.UpdateAccepted),
            .. JsonKeys.Of("doctor ", DoctorJson.Default.DoctorDocument),
            .. JsonKeys.Of("state.json ", StateJson.Default.StateDocument),
            .. JsonKeys.Of("state.json memory", StateJson.Default.PersistedStateDto),
            .. JsonKeys.Of("boots.json ", BootJson.Default.BootDocument),
            .. JsonKeys.Of("page-notice ", StatusPageJson.Default.StatusPageModel),
            .. JsonKeys.Of("short-notice ", StatusPageJson.Default.StatusPageSummary),
        ]);

    [Fact]
    public void JSON_words_derived_from_names_in_the_code_stay_the_same()
    {
        var milestones = Enum.GetValues<BootMilestone>();
        var boot = new BootRecord("1", DateTimeOffset.UnixEpoch, milestones.ToDictionary(milestone => milestone, _ => TimeSpan.Zero));
        var kept = new BootDto("1", DateTimeOffset.UnixEpoch, milestones.ToDictionary(milestone => milestone, _ => 0.0));
        using var file = JsonDocument.Parse(JsonSerializer.Serialize(new BootDocument(1, [kept]), BootJson.Default.BootDocument));
        var keptSteps = file.RootElement.GetProperty("boots")[0].GetProperty("steps").EnumerateObject();
        var checks = typeof(ICheck).Assembly.GetTypes()
            .Where(type => type.IsClass && !type.IsAbstract && type.IsAssignableTo(typeof(ICheck)));

        Pinned.Matches("words.txt",
        [
            .. StatusWriter.BuildBoot(boot).Steps.Select(step => $"status boot.this.steps[].name {step.Name}"),
            .. keptSteps.Select(step => $"boots.json boots[].steps {step.Name}"),
            .. Enum.GetValues<RequestKind>().Select(kind => $"status update.last.kind {kind.CommandName()}"),
            .. checks.Select(type => $"doctor checks[].name {((ICheck)RuntimeHelpers.GetUninitializedObject(type)).Name}"),
        ]);
    }

    [Fact]
    public void Every_command_keeps_its_name_options_and_arguments() =>
        Pinned.Matches("commands.txt", Commands("ragagent", CommandLine.Create()));

    [Fact]
    public void Every_exit_code_keeps_its_meaning() =>
        Pinned.Matches("exit-codes.txt",
        [
            $"{ExitCodes.Ok} done",
            $"{ExitCodes.Failed} what was asked for did not come true",
            $"{ExitCodes.Warnings} the doctor has warnings",
            $"{ExitCodes.NotRunning} no agent answers",
            $"{ExitCodes.Usage} the command line is not understood",
            $"{ExitCodes.AlreadyRunning} another agent looks after the same container",
            $"{ExitCodes.Denied} the user may not talk to the agent",
            $"{ExitCodes.BadConfiguration} the configuration can't be used",
        ]);

    [Fact]
    public void The_exported_documents_of_a_full_configuration_stay_the_same()
    {
        var (config, location) = (ExportSamples.Read(ExportSamples.Complete), new AwsLocation());
        var text = new StringBuilder();
        foreach (var (name, exported) in new[]
        {
            ("ecs task-definition", EcsTaskDefinition.Create(config, location, null, null)),
            ("ecs target-group", EcsTargetGroup.Create(config, null)),
            ("ecs service", EcsService.Create(config, null, null, [], [])),
            ("kubernetes", KubernetesManifests.Create(config, location)),
        })
        {
            text.Append(CultureInfo.InvariantCulture, $"# ragagent export {name}\n{JsonFormatter.Format(exported.Document)}");
        }

        Pinned.MatchesText("export.txt", text.ToString());
    }

    [Fact]
    public void Every_environment_variable_keeps_its_name()
    {
        var readers = Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .Where(text => text.Contains("GetEnvironmentVariable(", StringComparison.Ordinal));

        Pinned.Matches("environment.txt", readers.SelectMany(text => Variable().Matches(text).Select(match => match.Groups[1].Value)));
    }

    private static IEnumerable<string> Commands(string path, Command command) =>
    [
        path,
        .. command.Arguments.Select(argument => $"{path} {argument.Name} {Count(argument.Arity)}"),
        .. command.Options.Select(option => $"{path} {Names(option)} {Count(option.Arity)}"),
        .. command.Subcommands.SelectMany(subcommand => Commands($"{path} {subcommand.Name}", subcommand)),
    ];

    private static string Names(Option option) => string.Join(' ', option.Aliases.Order(StringComparer.Ordinal).Prepend(option.Name));

    private static string Count(ArgumentArity arity) =>
        $"{arity.MinimumNumberOfValues}..{(arity.MaximumNumberOfValues > 1000 ? "*" : arity.MaximumNumberOfValues)}";

    // In the call that reads it, or in a list next to that call.
    [GeneratedRegex("\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|TERM|no_proxy)\"")]
    private static partial Regex Variable();

    private sealed class Parameters : IParameterStore
    {
        public Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping) =>
            Task.FromResult(new RawSecret("""{ "key": "value" }""", "3"));
    }
}
