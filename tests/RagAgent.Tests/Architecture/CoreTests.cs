using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Xunit;

namespace RagAgent.Tests.Architecture;

/// <summary>
/// The core decides from the state and the event alone: no tasks, no logger, no clock, no input or output, no other room.
/// </summary>
public class CoreTests
{
    private const string Core = "RagAgent.Supervision";
    private const string State = Core + ".State";
    private const string Rules = Core + ".Rules";
    private const string Runtime = Core + ".Runtime";

    // The parts of the base library that compute and nothing else. Of the rooms, only the common basics.
    private static readonly string[] AllowedNamespaces =
    [
        "System", "System.Collections", "System.Collections.Generic", "System.Collections.Immutable", "System.Linq", "System.Text",
        "System.Diagnostics.CodeAnalysis", "System.Runtime.CompilerServices", "System.Runtime.InteropServices", "RagAgent.Common",
    ];

    // In an allowed namespace, but these read a clock, chance or the machine.
    private static readonly string[] ForbiddenTypes =
    [
        "System.DateTime", "System.DateTimeOffset", "System.TimeProvider", "System.Random", "System.Guid", "System.Environment", "System.AppContext",
        "System.Console", "RagAgent.Common.AgentClock", "RagAgent.Common.ExceptionMapping",
    ];

    private static readonly ILookup<string, string> Dependencies = ReadDependencies();

    [Theory]
    [InlineData(State, State)]
    [InlineData(Rules, State, Core, Rules)]
    [InlineData(Core, State, Core)]
    public void The_core_only_computes_and_knows_only_the_folders_beneath_it(string folder, params string[] knownFolders)
    {
        var types = Dependencies.Where(type => NamespaceOf(type.Key) == folder).ToArray();

        Assert.NotEmpty(types);
        var forbidden = types.SelectMany(type => type.Where(target => !IsAllowed(target, knownFolders)).Select(target => $"{type.Key} -> {target}")).ToArray();
        Assert.True(forbidden.Length == 0, string.Join('\n', forbidden));
    }

    [Fact]
    public void Rules_do_not_depend_on_each_other_in_a_circle()
    {
        var open = Dependencies.Where(type => NamespaceOf(type.Key) == Rules)
            .ToDictionary(type => type.Key, type => type.Where(target => target != type.Key && NamespaceOf(target) == Rules).ToArray());

        Assert.NotEmpty(open);
        while (open.FirstOrDefault(type => !type.Value.Any(open.ContainsKey)).Key is { } settled)
        {
            open.Remove(settled);
        }

        Assert.True(open.Count == 0, string.Join('\n', open.Select(type => $"{type.Key} -> {string.Join(", ", type.Value.Where(open.ContainsKey))}")));
    }

    [Fact]
    public void Dependencies_inside_lambdas_and_asynchronous_methods_are_seen()
    {
        Assert.Contains(Rules + ".DesiredRelease", Dependencies[Rules + ".Housekeeping"]);   // in a lambda only
        Assert.Contains("RagAgent.Common.ExceptionMapping", Dependencies[Runtime + ".EffectRunner"]);   // in an asynchronous method only
        Assert.Contains("System.Threading.Tasks.Task", Dependencies[Runtime + ".EffectRunner"]);
        Assert.Contains("Microsoft.Extensions.Logging.ILogger", Dependencies["RagAgent.Reporting.StateChangeLog"]);
    }

    private static bool IsAllowed(string target, string[] knownFolders) =>
        (AllowedNamespaces.Contains(NamespaceOf(target)) && !ForbiddenTypes.Contains(target)) || knownFolders.Contains(NamespaceOf(target));

    /// <summary>For each type that is not nested, the other types that it and its nested types name.</summary>
    private static ILookup<string, string> ReadDependencies() =>
        new ArchLoader().LoadAssemblies(typeof(RagAgent.Configuration.AgentConfig).Assembly).Build().Types
            .SelectMany(
                type => type.Dependencies)
            .Where(dependency => dependency.Target is not GenericParameter)
            .Select(dependency => (Origin: OutermostType(dependency.Origin), Target: OutermostType(dependency.Target)))
            // A reference to a type parameter has no dot in its name.
            .Where(pair => pair.Origin != pair.Target && pair.Target.Contains('.'))
            .Distinct()
            .ToLookup(pair => pair.Origin, pair => pair.Target);

    private static string OutermostType(IType type) => type.FullName.Split('`', '+', '/', '<')[0];

    private static string NamespaceOf(string type) => type.LastIndexOf('.') is > 0 and var dot ? type[..dot] : "";
}
