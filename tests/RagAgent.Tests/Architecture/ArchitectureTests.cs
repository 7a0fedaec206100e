using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Xunit;

namespace RagAgent.Tests.Architecture;

/// <summary>Dependencies point inwards, and each foreign library has one room.</summary>
public class ArchitectureTests
{
    private const string Root = "RagAgent";

    private static readonly ArchUnitNET.Domain.Architecture RagAgentAssembly =
        new ArchLoader().LoadAssemblies(typeof(RagAgent.Configuration.AgentConfig).Assembly).Build();

    [Fact]
    public void The_supervision_depends_only_on_common_basics() =>
        Assert.Empty(Dependencies("Supervision").Where(d => RoomOf(d.Target) is not (null or "Supervision" or "Common"))
            .Select(d => $"{OutermostType(d.Origin)} -> {OutermostType(d.Target)}").Distinct());

    [Theory]
    [InlineData("Docker.DotNet", "Containers", "Images")]
    [InlineData("Amazon", "Aws")]
    [InlineData("Yarp", "Proxy")]
    [InlineData("Serilog", "Diagnostics", "")]
    [InlineData("System.CommandLine", "Cli", "")]
    public void A_foreign_library_is_named_in_its_room_only(string library, params string[] rooms)
    {
        var naming = IsOwnType().SelectMany(type => type.Dependencies)
            .Where(d => d.Target.FullName == library || d.Target.FullName.StartsWith(library + ".", StringComparison.Ordinal))
            .Select(d => d.Origin).ToArray();

        Assert.NotEmpty(naming);
        Assert.Empty(naming.Where(type => !rooms.Contains(RoomOf(type))).Select(OutermostType).Distinct());
    }

    [Theory]
    [InlineData("Cli", "Reporting", "")]
    [InlineData("Control", "Reporting", "Cli", "")]
    [InlineData("Proxy", "Control", "Reporting", "Cli", "")]
    [InlineData("Aws", "")]
    [InlineData("Health", "")]
    [InlineData("Storage", "")]
    [InlineData("Export", "Cli")]
    public void A_room_is_known_only_by_those_outside_of_it(string room, params string[] knownBy)
    {
        var knowing = IsOwnType().SelectMany(type => type.Dependencies).Where(d => RoomOf(d.Target) == room && RoomOf(d.Origin) != room)
            .Select(d => d.Origin);

        Assert.Empty(knowing.Where(type => !knownBy.Contains(RoomOf(type))).Select(OutermostType).Distinct());
    }

    [Fact]
    public void The_configuration_knows_no_other_room() =>
        Assert.Empty(Dependencies("Configuration").Where(d => RoomOf(d.Target) is not (null or "Configuration")).Select(d => OutermostType(d.Origin)).Distinct());

    [Fact]
    public void The_export_knows_the_configuration_and_two_rules_of_other_rooms()
    {
        var known = Dependencies("Export").Where(d => RoomOf(d.Target) is not (null or "Export" or "Configuration"))
            .Select(d => OutermostType(d.Target)).Distinct().Order();

        Assert.Equal(["RagAgent.Containers.VolumeFolders", "RagAgent.Images.ImageReference"], known);
    }

    private static IEnumerable<IType> IsOwnType() => RagAgentAssembly.Types.Where(type => RoomOf(type) is not null);

    private static IEnumerable<ArchUnitNET.Domain.Dependencies.ITypeDependency> Dependencies(string room) =>
        IsOwnType().Where(type => RoomOf(type) == room).SelectMany(type => type.Dependencies);

    /// <summary>The folder that a type of ours lives in; empty for the composition above the rooms; null for a type of others.</summary>
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
