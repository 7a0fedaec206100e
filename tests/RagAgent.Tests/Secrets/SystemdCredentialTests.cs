using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Secrets;

/// <summary>Secrets that systemd loads for the service.</summary>
[Collection(EnvironmentVariableCollection.Name)]
public sealed class SystemdCredentialTests : IDisposable
{
    private const string Variable = "CREDENTIALS_DIRECTORY";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-credentials-");
    private readonly FakeParameterStore _parameters = new();
    private readonly SecretVault _vault = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_credential_is_read_from_the_folder_that_systemd_names()
    {
        using var variables = new EnvironmentVariables((Variable, _folder.FullName));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "openai"), "sk-1\n", TestContext.Current.CancellationToken);

        var versions = await ReadAsync();

        Assert.Equal("sk-1", Assert.Single(_vault.Find(versions.Fingerprint)!).Value.Reveal());
        Assert.EndsWith(" of credential openai)", Assert.Single(versions.Versions), StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(null)]
    [InlineData("")]
    public async Task Without_a_credentials_folder_the_remedy_is_LoadCredential(string? folder)
    {
        using var variables = new EnvironmentVariables((Variable, folder));

        Assert.Equal(
            new Problem(ProblemCatalog.SecretNoCredentials, "The systemd credential openai can't be read: systemd passed no credentials to this process.",
                "Add LoadCredential=openai:/path/to/it to the unit (systemctl edit ragagent) and restart the service."),
            await AssertProblem.ThrownAsync(ReadAsync));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Outside_the_unit_the_check_skips_a_credential()
    {
        using var variables = new EnvironmentVariables((Variable, null));

        Assert.Equal(
            CheckResult.Skipped("KEY: systemd credentials can only be read inside the unit. 'ragagent status' shows whether they were read."),
            await CheckAsync(("KEY", Openai)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Outside_the_unit_the_check_reads_the_other_secrets()
    {
        using var variables = new EnvironmentVariables((Variable, null));
        _parameters["/key"] = new RawSecret("sk-1", "3");

        Assert.Equal(
            CheckResult.Ok("Read: OTHER (version 3 of parameter /key). KEY: systemd credentials can only be read inside the unit. 'ragagent status' shows whether they were read."),
            await CheckAsync(("KEY", Openai), ("OTHER", new SecretConfig(SecretSource.Ssm, "/key"))));
        Assert.Equal("no-such", (await AssertProblem.ThrownAsync(() => CheckAsync(("KEY", Openai), ("OTHER", new SecretConfig(SecretSource.Ssm, "/missing"))))).Code);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Inside_the_unit_the_check_reads_a_credential()
    {
        using var variables = new EnvironmentVariables((Variable, _folder.FullName));

        Assert.Equal("secret-file-missing", (await AssertProblem.ThrownAsync(() => CheckAsync(("KEY", Openai)))).Code);
    }

    private static SecretConfig Openai => new(SecretSource.Credential, "openai");

    private Task<CheckResult> CheckAsync(params (string Variable, SecretConfig Secret)[] secrets) =>
        new SecretsCheck(new AgentConfig { Image = "app", Secrets = secrets.ToDictionary(s => s.Variable, s => s.Secret) }, _parameters, _vault)
            .RunAsync(TestContext.Current.CancellationToken);

    private Task<SecretVersions> ReadAsync()
    {
        var secrets = new Dictionary<string, SecretConfig> { ["KEY"] = Openai };
        return new SecretReader(new AgentConfig { Image = "app", Secrets = secrets }, _parameters, _vault).ReadAsync(TestContext.Current.CancellationToken);
    }
}
