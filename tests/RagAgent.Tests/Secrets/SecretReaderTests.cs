using CsCheck;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Secrets;

public sealed class SecretReaderTests : IDisposable
{
    private const string Canary = "canary7731";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-secrets-");
    private readonly FakeParameterStore _parameters = new();
    private readonly SecretVault _vault = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_parameter_is_read_trimmed_and_kept_in_memory()
    {
        _parameters["/key"] = new RawSecret("  sk-1\r\n", "3");

        var versions = await ReadAsync(("KEY", Ssm("/key")));

        Assert.Equal(["KEY (version 3 of parameter /key)"], versions.Versions);
        Assert.Empty(versions.Warnings);
        var held = Assert.Single(_vault.Find(versions.Fingerprint)!);
        Assert.Equal(("KEY", "sk-1", SecretDelivery.Memory), (held.Variable, held.Value.Reveal(), held.Delivery));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_warning_from_the_source_is_passed_on()
    {
        _parameters["/key"] = new RawSecret("sk-1", "3", "The parameter /key is a String.");

        Assert.Equal(["The parameter /key is a String."], (await ReadAsync(("KEY", Ssm("/key")))).Warnings);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("")]
    [InlineData(" \t\r\n")]
    public async Task An_empty_secret_is_rejected(string text)
    {
        _parameters["/key"] = new RawSecret(text, "3");

        var refused = await RefusedAsync(("KEY", Ssm("/key")));

        Assert.Equal(
            new Problem(
                ProblemCatalog.SecretEmpty, "The parameter /key is empty, so KEY would be empty.",
                "Store the real value there. The agent does not start the app without it."),
            refused);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_null_byte_is_rejected()
    {
        _parameters["/key"] = new RawSecret("a\0b", "3");

        Assert.Equal("The parameter /key contains a null byte, which an environment variable can't hold.", (await RefusedAsync(("KEY", Ssm("/key")))).What);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_JSON_field_can_be_the_secret()
    {
        _parameters["/all"] = new RawSecret("""{ "openai": " sk-1 ", "other": "x" }""", "3");

        var versions = await ReadAsync(("KEY", Ssm("/all") with { Json = "openai" }));

        Assert.Equal("sk-1", Assert.Single(_vault.Find(versions.Fingerprint)!).Value.Reveal());
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("{ \"other\": \"" + Canary + "\" }")]
    [InlineData("{ \"openai\": 7731 }")]
    [InlineData("[ \"" + Canary + "\" ]")]
    [InlineData("\"" + Canary + "\"")]
    public async Task A_missing_JSON_field_is_named_without_showing_the_value(string text)
    {
        _parameters["/all"] = new RawSecret(text, "3");

        var refused = await RefusedAsync(("KEY", Ssm("/all") with { Json = "openai" }));

        Assert.Equal(
            new Problem(
                ProblemCatalog.SecretFieldMissing, "The parameter /all is JSON, but has no string field 'openai' for KEY.",
                "Correct secrets.KEY.json in the configuration, or the value."),
            refused);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(Canary)]
    [InlineData("{ \"openai\": \"" + Canary)]
    [InlineData("{ \"openai\": \"\\ud800" + Canary + "\" }")]
    public async Task A_value_that_is_not_JSON_is_reported_without_showing_it(string text)
    {
        _parameters["/all"] = new RawSecret(text, "3");

        var thrown = await Assert.ThrowsAsync<ProblemException>(() => ReadAsync(("KEY", Ssm("/all") with { Json = "openai" })));

        Assert.Equal("The parameter /all is not JSON, but the configuration asks for its field 'openai'.", thrown.Problem.What);
        Assert.DoesNotContain(Canary, thrown.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_secret_file_is_read()
    {
        var path = Write("key", "sk-1\n");

        var versions = await ReadAsync(("KEY", new SecretConfig(SecretSource.File, path)));

        Assert.Equal("sk-1", Assert.Single(_vault.Find(versions.Fingerprint)!).Value.Reveal());
        Assert.EndsWith($" of file {path})", Assert.Single(versions.Versions), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_rewritten_file_is_a_new_version()
    {
        var path = Write("key", "sk-1");
        var before = await ReadAsync(("KEY", new SecretConfig(SecretSource.File, path)));
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddSeconds(1));

        Assert.NotEqual(before.Fingerprint, (await ReadAsync(("KEY", new SecretConfig(SecretSource.File, path)))).Fingerprint);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("missing")]
    [InlineData("missing/key")]
    public async Task A_missing_secret_file_is_named(string name)
    {
        var path = Path.Combine(_folder.FullName, name);

        Assert.Equal(
            new Problem(
                ProblemCatalog.SecretFileMissing, $"The secret file {path} does not exist.",
                "Create it, readable by the agent's user, or change the path in the configuration."),
            await RefusedAsync(("KEY", new SecretConfig(SecretSource.File, path))));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_unreadable_secret_file_is_named()
    {
        // Reading a folder as a file fails for every user. File modes would not stop root.
        var refused = await RefusedAsync(("KEY", new SecretConfig(SecretSource.File, _folder.FullName)));

        Assert.Equal(
            new Problem(
                ProblemCatalog.SecretFileDenied, $"The secret file {_folder.FullName} can't be read: permission denied.",
                "Give the agent's user permission to read it."),
            refused);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_oversized_secret_file_is_not_read()
    {
        var path = Write("key", new string('x', (64 * 1024) + 1));

        Assert.Equal($"The secret file {path} has 65537 bytes; the limit is 65536.", (await RefusedAsync(("KEY", new SecretConfig(SecretSource.File, path)))).What);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_fingerprint_changes_with_the_version_and_not_with_the_value()
    {
        async Task<string> FingerprintAsync(string value, string version, string name = "/key", string variable = "KEY", string? json = null)
        {
            _parameters[name] = new RawSecret(value, version);
            return (await ReadAsync((variable, Ssm(name) with { Json = json }))).Fingerprint;
        }

        var first = await FingerprintAsync("""{ "f": "one" }""", "1");
        Assert.Equal(first, await FingerprintAsync("another", "1"));
        Assert.NotEqual(first, await FingerprintAsync("""{ "f": "one" }""", "2"));
        Assert.NotEqual(first, await FingerprintAsync("""{ "f": "one" }""", "1", name: "/other"));
        Assert.NotEqual(first, await FingerprintAsync("""{ "f": "one" }""", "1", variable: "OTHER"));
        Assert.NotEqual(first, await FingerprintAsync("""{ "f": "one" }""", "1", json: "f"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_order_of_secrets_in_the_configuration_does_not_matter()
    {
        _parameters["/a"] = new RawSecret("a", "1");
        _parameters["/b"] = new RawSecret("b", "2");

        var one = await ReadAsync(("A", Ssm("/a")), ("B", Ssm("/b")));
        var other = await ReadAsync(("B", Ssm("/b")), ("A", Ssm("/a")));

        Assert.Equal(one.Fingerprint, other.Fingerprint);
        Assert.Equal(one.Versions, other.Versions);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task One_failing_secret_fails_the_whole_read()
    {
        _parameters["/a"] = new RawSecret("a", "1");

        Assert.Equal("no-such", (await RefusedAsync(("A", Ssm("/a")), ("B", Ssm("/b")))).Code);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task No_exception_and_no_version_ever_shows_the_value()
    {
        var around = Gen.OneOf("", " ", "\n", "\0", "{", "}", "\"", "{\"f\":\"", "\"}", "{\"f\":", "[", "\\ud800", "\\");
        await Gen.Select(around, around, Gen.Bool).SampleAsync(async (before, after, asJson) =>
        {
            _parameters["/key"] = new RawSecret(before + Canary + after, "3");
            try
            {
                var versions = await ReadAsync(("KEY", Ssm("/key") with { Json = asJson ? "f" : null }));
                Assert.DoesNotContain(
                    Canary, string.Join(' ', [.. versions.Versions, .. versions.Warnings, versions.Fingerprint, versions.ToString()]),
                    StringComparison.Ordinal);
                Assert.DoesNotContain(Canary, string.Join(' ', _vault.Find(versions.Fingerprint)!), StringComparison.Ordinal);
            }
            catch (ProblemException exception)
            {
                Assert.DoesNotContain(Canary, exception.ToString(), StringComparison.Ordinal);
            }
        }, threads: 1);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("  sk-1\r\n", "sk-1")]
    [InlineData("-----BEGIN\nkey\n-----END\n", "-----BEGIN\nkey\n-----END\n")]
    public async Task A_file_keeps_the_line_break_at_the_end_only_after_several_lines(string text, string expected)
    {
        _parameters["/key"] = new RawSecret(text, "3");

        var versions = await ReadAsync(("KEY", Ssm("/key") with { Path = "/run/secrets/key" }));

        Assert.Equal(["KEY (version 3 of parameter /key, in /run/secrets/key)"], versions.Versions);
        var held = Assert.Single(_vault.Find(versions.Fingerprint)!);
        Assert.Equal((expected, "/run/secrets/key"), (held.Value.Reveal(), held.Path));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(" \n \n", "The parameter /key is empty, so /run/secrets/key would be empty.")]
    [InlineData("a\0b", "The parameter /key contains a null byte, which a shell can't hold.")]
    public async Task A_file_is_neither_empty_nor_has_null_bytes(string text, string expected)
    {
        _parameters["/key"] = new RawSecret(text, "3");

        Assert.Equal(expected, (await RefusedAsync(("KEY", Ssm("/key") with { Path = "/run/secrets/key" }))).What);
    }

    private static SecretConfig Ssm(string name) => new(SecretSource.Ssm, name);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    private async Task<Problem> RefusedAsync(params (string Variable, SecretConfig Secret)[] secrets) =>
        await AssertProblem.ThrownAsync(() => ReadAsync(secrets));

    private Task<SecretVersions> ReadAsync(params (string Variable, SecretConfig Secret)[] secrets) =>
        new SecretReader(new AgentConfig { Image = "app", Secrets = secrets.ToDictionary(s => s.Variable, s => s.Secret) }, _parameters, _vault)
            .ReadAsync(TestContext.Current.CancellationToken);
}

/// <summary>An in-memory Parameter Store.</summary>
internal sealed class FakeParameterStore : Dictionary<string, RawSecret>, IParameterStore
{
    public Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping) => TryGetValue(name, out var secret)
        ? Task.FromResult(secret)
        : throw new ProblemException(new Problem(new ProblemKind("no-such"), "There is no such parameter.", "Make one."));
}
