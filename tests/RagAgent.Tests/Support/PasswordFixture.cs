using RagAgent.Configuration;
using RagAgent.Secrets;

namespace RagAgent.Tests.Support;

/// <summary>The password that visitors come in by, where a test can change it, and its keeper over it.</summary>
internal sealed class PasswordFixture : IParameterStore
{
    public const string Correct = "open sesame: please";
    public const string Parameter = "/password";

    /// <summary>As few rounds as are taken: a test has other things to do.</summary>
    public static readonly string Hash = PasswordHash.Create(Correct, PasswordHash.MinIterations);

    private int _readCount;

    public PasswordFixture(AccessConfig? access = null, TimeProvider? time = null)
    {
        Config = new AgentConfig { Image = "app", Access = access };
        Vault = new SecretVault();
        Keeper = new PasswordHashProvider(Config, new SecretReader(Config, this, Vault), time ?? TimeProvider.System, new ListLogger<PasswordHashProvider>(LogMessages));
    }

    public static AccessConfig PasswordOnly { get; } = new() { Password = new SecretConfig(SecretSource.Ssm, Parameter) };

    public AgentConfig Config { get; }

    public SecretVault Vault { get; }

    public PasswordHashProvider Keeper { get; }

    /// <summary>What the keeper told.</summary>
    public List<string> LogMessages { get; } = [];

    /// <summary>What stands in the parameter; a problem: it can't be read.</summary>
    public Func<RawSecret> StoredHash { get; set; } = () => new RawSecret(Hash, "1");

    /// <summary>How often it was read.</summary>
    public int ReadCount => Volatile.Read(ref _readCount);

    /// <summary>The purpose of the last read.</summary>
    public SecretPurpose? LastPurpose { get; private set; }

    public Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping)
    {
        LastPurpose = purpose;
        Interlocked.Increment(ref _readCount);
        return Task.FromResult(StoredHash());
    }

    /// <summary>Starts the keeper and waits until it has the hash.</summary>
    public async Task<PasswordFixture> StartAsync(CancellationToken stopping)
    {
        await Keeper.StartAsync(stopping);
        await WaitForAsync(keeper => keeper.Hash is not null, stopping);
        return this;
    }

    public async Task WaitForAsync(Func<PasswordHashProvider, bool> condition, CancellationToken stopping)
    {
        while (!condition(Keeper))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stopping);
        }
    }
}
