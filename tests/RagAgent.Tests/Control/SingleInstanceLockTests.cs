using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

public class SingleInstanceLockTests
{
    private readonly string _engine = $"/nowhere/{Guid.NewGuid()}";

    [Fact]
    public void A_second_agent_for_the_same_container_is_refused()
    {
        using var first = new SingleInstanceLock(_engine, "ragstream");

        Assert.Equal(
            new Problem(ProblemCatalog.AlreadyRunning, "Another RagAgent on this machine already manages the container ragstream.",
                "Use it ('ragagent status'), stop it ('systemctl stop ragagent'), or set another container.name."),
            AssertProblem.Thrown(() => new SingleInstanceLock(_engine, "ragstream").Dispose()));
    }

    [Fact]
    public void Another_container_or_engine_may_have_another_agent()
    {
        using var first = new SingleInstanceLock(_engine, "ragstream");
        using var otherContainer = new SingleInstanceLock(_engine, "other");
        using var otherEngine = new SingleInstanceLock(_engine + "x", "ragstream");
    }

    [Fact]
    public void A_released_lock_can_be_taken_again()
    {
        new SingleInstanceLock(_engine, "ragstream").Dispose();

        new SingleInstanceLock(_engine, "ragstream").Dispose();
    }
}
