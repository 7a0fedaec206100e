using RagAgent.Supervision;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A newer version of a secret is taken at a restart and at an update, and disturbs nothing in between.</summary>
public class SecretsTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_rotation_while_the_app_serves_disturbs_nothing()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.Serves().Forget().SecretVersion = "2";
        _story.PassesQuietly(TimeSpan.FromHours(2));
        Assert.Equal(0, _story.CountBegun<Effect.ReadSecrets>() + _story.CountBegun<Effect.StopContainer>());
    }

    [Fact]
    public void A_restart_takes_the_newer_one()
    {
        _story.Serves().SecretVersion = "2";
        _story.Crashes().WaitsOut();
        Assert.Equal(Sample.Release(Sample.New, secrets: "2"), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void When_it_can_not_be_read_the_one_in_memory_is_used()
    {
        _story.Serves().SecretVersion = "2";
        _story.Crashes().SecretsFail().Passes(TimeSpan.FromSeconds(3)).EngineIsSeen();
        Assert.Equal(Sample.Release(Sample.New), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void When_no_answer_comes_it_is_waited_for_a_few_seconds_only()
    {
        _story.Serves().Crashes().Passes(_story.Policy.FreshSecretsTimeout - TimeSpan.FromMilliseconds(1)).EngineIsSeen();
        Assert.False(_story.Has<Effect.StartContainer>());
        _story.Passes(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Sample.Release(Sample.New), _story.PendingOne<Effect.StartContainer>().Release);
    }
}
