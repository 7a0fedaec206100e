using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A secret that is rotated while the app runs. A restart uses it, and never waits long for it.</summary>
public sealed class KeyRotationTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    private const string Rotated = "sk-rotated-0123456789";

    /// <summary>How long the agent waits for secrets before a restart.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_rotated_secret_is_used_after_the_next_crash()
    {
        await ServeAsync();
        Aws.Parameters.Put(Parameter, Rotated);
        Assert.Equal(Hash(Key), await KeyServedAsync());

        await CrashAsync();

        Assert.Equal(Hash(Rotated), await KeyServedAsync());
        Assert.Contains("version 2", (await WaitUntilServingAsync()).Secrets.Versions[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_without_Parameter_Store_reuses_the_secret_in_memory()
    {
        await ServeAsync();
        Aws.Parameters.Put(Parameter, Rotated);
        Aws.Faults.Add(Operations.GetParameter, new Fault.Cut());

        await CrashAsync();
        Assert.Equal(Hash(Key), await KeyServedAsync());

        Aws.Faults.Clear();
        await CrashAsync();
        Assert.Equal(Hash(Rotated), await KeyServedAsync());
    }

    [Fact]
    public async Task A_hanging_Parameter_Store_delays_a_restart_only_up_to_the_timeout()
    {
        await ServeAsync();
        Aws.Parameters.Put(Parameter, Rotated);
        Aws.Faults.Add(Operations.GetParameter, new Fault.Hang());

        await CrashAsync();

        Assert.Equal(Hash(Key), await KeyServedAsync());
        var failed = (await WaitUntilServingAsync()).LastFailure!.At;
        var created = DateTimeOffset.Parse((await Docker.InspectAsync(Name))!["Created"]!.GetValue<string>(), CultureInfo.InvariantCulture);
        // The agent did wait. A busy machine needs some time more to create the container.
        Assert.InRange(created - failed, TimeSpan.FromSeconds(4), Timeout + TimeSpan.FromSeconds(5));
    }

    private async Task ServeAsync()
    {
        ConfigureRareProbes();
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
    }

    private async Task CrashAsync()
    {
        var started = await Docker.StartedAtAsync(Name);
        await Docker.RunCheckedAsync("kill", Name);
        await WaitUntilServedAgainAsync(Docker, started, "the app is back");
    }

    private async Task<string> KeyServedAsync() => (await GetAsync("/key-sha256")).Body.Trim();

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
