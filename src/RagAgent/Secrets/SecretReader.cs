using System.Text.Json;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Secrets;

/// <summary>Reads every secret in the configuration from its source into the vault.</summary>
internal sealed class SecretReader(AgentConfig config, IParameterStore parameters, SecretVault vault) : ISecrets
{
    private const int MaxFileSize = 64 * 1024;

    public async Task<SecretVersions> ReadAsync(CancellationToken stopping)
    {
        var reads = config.Secrets
            .OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(async s => (Variable: s.Key, Config: s.Value, Raw: await ReadSourceAsync(s.Value, SecretPurpose.App, stopping)))
            .ToArray();
        var secrets = await Task.WhenAll(reads);
        var loaded = secrets
            .Select(s => new LoadedSecret(s.Variable, Validate(s.Variable, s.Config, s.Raw), s.Config.Delivery, s.Config.Path))
            .ToArray();
        var fingerprint = Fingerprint.Of(secrets.SelectMany(s => new[] { s.Variable, s.Config.Name, s.Config.Json ?? "", s.Raw.Version }));
        vault.Store(fingerprint, loaded);
        return new SecretVersions(
            fingerprint,
            [.. secrets.Select(s => $"{s.Variable} (version {s.Raw.Version} of {Describe(s.Config)}{InFile(s.Config)})")],
            [.. secrets.Select(s => s.Raw.Warning).OfType<string>()]);
    }

    /// <summary>Reads a secret of the agent itself. The vault only scrubs it.</summary>
    /// <param name="source">Where the secret is stored.</param>
    /// <param name="purpose">What it is for.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <returns>The value, trimmed and perhaps empty; and its version and source for the operator.</returns>
    /// <exception cref="ProblemException">The source can't be read. The problem says why.</exception>
    public async Task<(SecretValue Value, string Version)> ReadAsync(SecretConfig source, SecretPurpose purpose, CancellationToken stopping)
    {
        var raw = await ReadSourceAsync(source, purpose, stopping);
        var text = raw.Value.Reveal();
        text = source.Json is { } field ? ExtractField(purpose.ConfigKey, purpose.ConfigKey, source, field, text) : text;
        var value = new SecretValue(text.Trim());
        vault.AddToScrubList(value);
        return (value, $"version {raw.Version} of {Describe(source)}");
    }

    private Task<RawSecret> ReadSourceAsync(SecretConfig secret, SecretPurpose purpose, CancellationToken stopping) => secret.Source switch
    {
        SecretSource.Ssm => parameters.ReadAsync(secret.Name, purpose, stopping),
        SecretSource.File => ReadFileAsync(secret.Name, stopping),
        SecretSource.Credential => ReadFileAsync(CredentialPath(secret.Name), stopping),
        _ => throw new InvalidOperationException($"There is no reader for secrets from {secret.Source}."),
    };

    /// <summary>Where systemd put the unit's credentials; null if this process runs outside the unit, or the unit has none.</summary>
    public static string? CredentialsDirectory =>
        Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory ? directory : null;

    private static string CredentialPath(string name) =>
        CredentialsDirectory is { } directory
            ? Path.Combine(directory, name)
            : throw new ProblemException(new Problem(ProblemCatalog.SecretNoCredentials,
                $"The systemd credential {name} can't be read: systemd passed no credentials to this process.",
                $"Add LoadCredential={name}:/path/to/it to the unit (systemctl edit ragagent) and restart the service."));

    private static async Task<RawSecret> ReadFileAsync(string path, CancellationToken stopping)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxFileSize)
            {
                throw new ProblemException(new Problem(ProblemCatalog.SecretFileTooLarge,
                    $"The secret file {path} has {file.Length} bytes; the limit is {MaxFileSize}.", "Check the path in the configuration."));
            }
            var text = await File.ReadAllTextAsync(path, stopping);
            return new RawSecret(text, Fingerprint.Of(file.LastWriteTimeUtc.Ticks.ToString(), file.Length.ToString()));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretFileMissing,
                $"The secret file {path} does not exist.",
                "Create it, readable by the agent's user, or change the path in the configuration."), exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretFileDenied,
                $"The secret file {path} can't be read: permission denied.", "Give the agent's user permission to read it."), exception);
        }
    }

    private static SecretValue Validate(string variable, SecretConfig secret, RawSecret raw)
    {
        var text = raw.Value.Reveal();
        text = secret.Json is { } field ? ExtractField(variable, $"secrets.{variable}", secret, field, text) : text;
        // A stray line break would break a key. A file of several lines, such as a private key, may have to end in one.
        text = secret.Path is not null && text.Trim().Contains('\n') ? text : text.Trim();
        if (text.Length == 0)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretEmpty,
                $"The {Describe(secret)} is empty, so {secret.Path ?? variable} would be empty.",
                "Store the real value there. The agent does not start the app without it."));
        }
        if (text.Contains('\0'))
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretMalformed,
                $"The {Describe(secret)} contains a null byte, which {(secret.Path is null ? "an environment variable" : "a shell")} can't hold.",
                "Store the real value there."));
        }
        return new SecretValue(text);
    }

    private static string ExtractField(string consumer, string key, SecretConfig secret, string field, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object &&
                document.RootElement.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString() ?? ""
                : throw new ProblemException(new Problem(ProblemCatalog.SecretFieldMissing,
                    $"The {Describe(secret)} is JSON, but has no string field '{field}' for {consumer}.",
                    $"Correct {key}.json in the configuration, or the value."));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair throws InvalidOperationException. The exception is dropped on purpose: its message may quote the
            // secret.
            throw new ProblemException(new Problem(ProblemCatalog.SecretNotJson,
                $"The {Describe(secret)} is not JSON, but the configuration asks for its field '{field}'.",
                $"Remove {key}.json from the configuration, or correct the value."));
        }
    }

    private static string InFile(SecretConfig secret) => secret.Path is { } path ? $", in {path}" : "";

    private static string Describe(SecretConfig secret) => secret.Source switch
    {
        SecretSource.Ssm => $"parameter {secret.Name}",
        SecretSource.File => $"file {secret.Name}",
        _ => $"credential {secret.Name}",
    };
}
