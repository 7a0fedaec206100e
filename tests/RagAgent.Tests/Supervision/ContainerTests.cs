using RagAgent.Common;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What the engine shows of a container, and when two views of it are the same.</summary>
public class ContainerTests
{
    private static readonly Container One = Sample.RunningContainer("container-1", Sample.Release(Sample.NewImage));

    [Theory]
    [InlineData(ContainerStatus.Created, false)]
    [InlineData(ContainerStatus.Running, true)]
    [InlineData(ContainerStatus.Paused, true)]
    [InlineData(ContainerStatus.Restarting, true)]
    [InlineData(ContainerStatus.Removing, false)]
    [InlineData(ContainerStatus.Exited, false)]
    [InlineData(ContainerStatus.Dead, false)]
    internal void A_container_is_alive_while_it_may_write_to_its_volumes(ContainerStatus status, bool isAlive) =>
        Assert.Equal(isAlive, (One with { Status = status }).IsAlive);

    [Theory]
    [InlineData("0123456789abcdef", "0123456789ab")]
    [InlineData("0123456789abc", "0123456789ab")]
    [InlineData("0123456789ab", "0123456789ab")]
    [InlineData("0123", "0123")]
    public void A_short_id_has_twelve_digits_as_in_docker_ps(string id, string shortId) =>
        Assert.Equal(shortId, (One with { Id = id }).ShortId);

    [Fact]
    public void Exits_are_equal_if_all_their_parts_are()
    {
        var exit = new ContainerExit(1, OutOfMemory: false, "", ["a line"]);

        Assert.Equal(exit, exit with { LastLines = ["a line"] });
        Assert.Equal(exit.GetHashCode(), (exit with { LastLines = ["a line"] }).GetHashCode());
        Assert.NotEqual(exit, exit with { Code = 2 });
        Assert.NotEqual(exit, exit with { OutOfMemory = true });
        Assert.NotEqual(exit, exit with { Error = "no such file" });
        Assert.NotEqual(exit, exit with { LastLines = ["another line"] });
        Assert.False(exit.Equals(null));
    }

    [Fact]
    public void Inventories_are_equal_if_their_engine_and_containers_are()
    {
        var inventory = new Inventory([One], "29.0.0");

        Assert.Equal(inventory, new Inventory([One with { }], "29.0.0"));
        Assert.Equal(inventory.GetHashCode(), new Inventory([One with { }], "29.0.0").GetHashCode());
        Assert.NotEqual(inventory, new Inventory([One], "29.0.1"));
        Assert.NotEqual(inventory, new Inventory([One with { Status = ContainerStatus.Paused }], "29.0.0"));
        Assert.NotEqual(inventory, new Inventory([], "29.0.0"));
        Assert.False(inventory.Equals(null));
    }

    [Fact]
    public void A_container_that_still_runs_has_no_last_lines() =>
        Assert.Empty(new Failure(Moment.Zero, One.ReleaseId, Sample.Refused, Exit: null).LastLines);

    [Fact]
    public void Persisted_states_are_equal_if_all_their_parts_are()
    {
        var memory = new PersistedState([Sample.NewImage], new Verdict.OnTrial(Sample.NewerImage, 0, 1), StopHold.DockerStop, [new Run("container-1", "then")]);

        Assert.Equal(memory, memory with { KnownGood = [Sample.NewImage], Runs = [new Run("container-1", "then")] });
        Assert.NotEqual(memory, memory with { KnownGood = [Sample.OldImage] });
        Assert.NotEqual(memory, memory with { Verdict = null });
        Assert.NotEqual(memory, memory with { Hold = null });
        Assert.NotEqual(memory, memory with { Runs = [] });
        Assert.False(memory.Equals(null));
    }
}
