using ArchUnitNET.Domain;
using ArchUnitNET.Domain.Dependencies;
using ArchUnitNET.Loader;
using Xunit;

namespace RagAgent.Tests.Architecture;

/// <summary>Dependencies point inwards, and each library is used only in its rooms.</summary>
public class ArchitectureTests
{
    private const string Root = "RagAgent";

    private static readonly ArchUnitNET.Domain.Architecture RagAgentAssembly =
        new ArchLoader().LoadAssemblies(typeof(RagAgent.Configuration.AgentConfig).Assembly).Build();

    [Fact]
    public void Supervision_depends_only_on_Common() =>
        Assert.Empty(Dependencies("Supervision")
            .Where(dependency => RoomOf(dependency.Target) is not (null or "Supervision" or "Common"))
            .Select(dependency => $"{OutermostType(dependency.Origin)} -> {OutermostType(dependency.Target)}")
            .Distinct());

    [Theory]
    [InlineData("Docker.DotNet", "Containers", "Images")]
    [InlineData("Amazon", "Aws")]
    [InlineData("Yarp", "Proxy")]
    [InlineData("Serilog", "Diagnostics", "")]
    [InlineData("System.CommandLine", "Cli", "")]
    public void A_library_is_used_only_in_its_own_rooms(string library, params string[] rooms)
    {
        var users = OwnTypes().SelectMany(type => type.Dependencies)
            .Where(dependency => (dependency.Target.FullName + ".").StartsWith(library + ".", StringComparison.Ordinal))
            .Select(dependency => dependency.Origin)
            .ToArray();

        Assert.NotEmpty(users);
        Assert.Empty(users.Where(type => !rooms.Contains(RoomOf(type))).Select(OutermostType).Distinct());
    }

    [Theory]
    [InlineData("Cli", "")]
    [InlineData("Control", "Cli", "")]
    [InlineData("Proxy", "Cli", "")]
    [InlineData("Aws", "")]
    [InlineData("Health", "")]
    [InlineData("Storage", "")]
    [InlineData("Export", "Cli")]
    public void A_room_is_used_only_by_rooms_further_outside(string room, params string[] allowed)
    {
        var users = OwnTypes().SelectMany(type => type.Dependencies)
            .Where(dependency => RoomOf(dependency.Target) == room && RoomOf(dependency.Origin) != room)
            .Select(dependency => dependency.Origin);

        Assert.Empty(users.Where(type => !allowed.Contains(RoomOf(type))).Select(OutermostType).Distinct());
    }

    [Fact]
    public void Configuration_depends_only_on_Common() =>
        Assert.Empty(Dependencies("Configuration")
            .Where(dependency => RoomOf(dependency.Target) is not (null or "Configuration" or "Common"))
            .Select(dependency => OutermostType(dependency.Origin))
            .Distinct());

    [Fact]
    public void What_puts_the_state_into_words_knows_the_state_and_what_it_is_made_of_only()
    {
        string[] rooms = ["Reporting", "Supervision", "Common", "Configuration"];
        var others = Dependencies("Reporting").Where(d => RoomOf(d.Target) is { } room && !rooms.Contains(room))
            .Select(d => OutermostType(d.Target));

        Assert.Equal(
            [
                "RagAgent.Diagnostics.AgentVersion",
                "RagAgent.Diagnostics.BootTiming.BootMilestone",
                "RagAgent.Diagnostics.BootTiming.BootRecord",
                "RagAgent.Diagnostics.BootTiming.BootTimeline",
            ], others.Distinct().Order());
    }

    [Fact]
    public void Export_depends_only_on_Configuration_Common_and_the_owner_of_volume_folders()
    {
        var found = Dependencies("Export")
            .Where(dependency => RoomOf(dependency.Target) is not (null or "Export" or "Configuration" or "Common"))
            .Select(dependency => OutermostType(dependency.Target))
            .Distinct();

        Assert.Equal(["RagAgent.Containers.VolumeFolders"], found);
    }

    private static IEnumerable<IType> OwnTypes() => RagAgentAssembly.Types.Where(type => RoomOf(type) is not null);

    private static IEnumerable<ITypeDependency> Dependencies(string room) =>
        OwnTypes().Where(type => RoomOf(type) == room).SelectMany(type => type.Dependencies);

    /// <summary>The room (folder) of a type; empty for the composition above the rooms; null for types of libraries.</summary>
    private static string? RoomOf(IType type)
    {
        var name = type.FullName.Split('`', '+', '/', '<')[0];
        return name switch
        {
            "Program" => "",
            _ when !name.StartsWith(Root + ".", StringComparison.Ordinal) => null,
            _ => name[(Root.Length + 1)..].Split('.') is [var room, _, ..] ? room : "",
        };
    }

    private static string OutermostType(IType type) => type.FullName.Split('`', '+', '/')[0];
}
