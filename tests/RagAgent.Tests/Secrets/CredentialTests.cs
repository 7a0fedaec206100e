using RagAgent.Configuration;
using RagAgent.Secrets;
using RagAgent.Supervision;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Secrets;

/// <summary>Secrets that systemd loads for the service.</summary>
[Collection(ProcessEnvironment.Name)]
public sealed class CredentialTests : IDisposable
{
    private const string Variable = "CREDENTIALS_DIRECTORY";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-credentials-");
    private readonly SecretVault _vault = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_credential_is_a_file_in_the_folder_that_systemd_names()
    {
        using var variables = new Variables((Variable, _folder.FullName));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "openai"), "sk-1\n", TestContext.Current.CancellationToken);

        var versions = await ReadAsync();

        Assert.Equal("sk-1", Assert.Single(_vault.Find(versions.Fingerprint)!).Value.Reveal());
        Assert.EndsWith(" of credential openai)", Assert.Single(versions.Versions), StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(null)]
    [InlineData("")]
    public async Task Without_that_folder_the_unit_must_load_it(string? folder)
    {
        using var variables = new Variables((Variable, folder));

        Assert.Equal(
            new Problem("secret-no-credentials", "The systemd credential openai can't be read: systemd gave this process no credentials.",
                "Add LoadCredential=openai:/path/to/it to the unit (systemctl edit ragagent) and restart the service."),
            await Refused.ByAsync(ReadAsync));
    }

    private Task<SecretVersions> ReadAsync()
    {
        var secrets = new Dictionary<string, SecretConfig> { ["KEY"] = new(SecretSource.Credential, "openai") };
        return new SecretReader(new AgentConfig { Image = "app", Secrets = secrets }, new FakeParameters(), _vault).ReadAsync(TestContext.Current.CancellationToken);
    }
}
