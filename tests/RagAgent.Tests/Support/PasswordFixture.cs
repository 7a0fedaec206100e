using RagAgent.Configuration;
using RagAgent.Secrets;

namespace RagAgent.Tests.Support;

/// <summary>A password whose stored hash a test can change, and its provider.</summary>
internal sealed class PasswordFixture : IParameterStore
{
    public const string Correct = "open sesame: please";
    public const string Parameter = "/password";

    /// <summary>With the minimum of iterations, to keep tests fast.</summary>
    public static readonly string Hash = PasswordHash.Create(Correct, PasswordHash.MinIterations);

    private int _readCount;

    public PasswordFixture(AccessConfig? access = null, TimeProvider? time = null)
    {
        Config = new AgentConfig { Image = "app", Access = access };
        Vault = new SecretVault();
        Keeper = new PasswordHashProvider(
            Config, new SecretReader(Config, this, Vault), time ?? TimeProvider.System, new ListLogger<PasswordHashProvider>(LogMessages));
    }

    public static AccessConfig PasswordOnly { get; } = new() { Password = new SecretConfig(SecretSource.Ssm, Parameter) };

    public AgentConfig Config { get; }

    public SecretVault Vault { get; }

    public PasswordHashProvider Keeper { get; }

    /// <summary>What the provider logged.</summary>
    public List<string> LogMessages { get; } = [];

    /// <summary>The parameter's content. Throw a problem if it can't be read.</summary>
    public Func<RawSecret> StoredHash { get; set; } = () => new RawSecret(Hash, "1");

    /// <summary>How often the parameter was read.</summary>
    public int ReadCount => Volatile.Read(ref _readCount);

    /// <summary>The purpose of the last read.</summary>
    public SecretPurpose? LastPurpose { get; private set; }

    public Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping)
    {
        LastPurpose = purpose;
        Interlocked.Increment(ref _readCount);
        return Task.FromResult(StoredHash());
    }

    /// <summary>Starts the provider and waits until it has read the hash.</summary>
    public async Task<PasswordFixture> StartAsync(CancellationToken stopping)
    {
        await Keeper.StartAsync(stopping);
        await WaitForAsync(keeper => keeper.Hash is not null, stopping);
        return this;
    }

    public Task WaitForAsync(Func<PasswordHashProvider, bool> condition, CancellationToken stopping) =>
        Wait.UntilAsync(() => condition(Keeper), stopping);
}
