using System.Text.Json;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Secrets;

/// <summary>What a source gave.</summary>
/// <param name="Text">The raw text, not trimmed.</param>
/// <param name="Version">Changes when the text does; not derived from the text.</param>
/// <param name="Warning">What an operator should change though it works; null: nothing.</param>
internal sealed record RawSecret(string Text, string Version, string? Warning = null);

/// <summary>A parameter of Parameter Store.</summary>
internal interface IParameterStore
{
    /// <exception cref="ProblemException">It can't be read; says why.</exception>
    Task<RawSecret> ReadAsync(string name, CancellationToken stopping);
}

/// <summary>Reads every secret of the configuration from its source into the vault.</summary>
internal sealed class SecretReader(AgentConfig config, IParameterStore parameters, SecretVault vault) : ISecrets
{
    private const int MaxFileSize = 64 * 1024;

    public async Task<SecretVersions> ReadAsync(CancellationToken stopping)
    {
        var reads = config.Secrets
            .OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(async s => (Variable: s.Key, Config: s.Value, Raw: await ReadAsync(s.Value, stopping)))
            .ToArray();
        var secrets = await Task.WhenAll(reads);
        var loaded = secrets.Select(s => new LoadedSecret(s.Variable, Validate(s.Variable, s.Config, s.Raw), s.Config.Delivery)).ToArray();
        var fingerprint = Fingerprint.Of(secrets.SelectMany(s => new[] { s.Variable, s.Config.Name, s.Config.Json ?? "", s.Raw.Version }));
        vault.Store(fingerprint, loaded);
        return new SecretVersions(
            fingerprint,
            [.. secrets.Select(s => $"{s.Variable} (version {s.Raw.Version} of {Describe(s.Config)})")],
            [.. secrets.Select(s => s.Raw.Warning).OfType<string>()]);
    }

    /// <summary>One value that is not for the app.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="key">Of the configuration, for what is said of it.</param>
    /// <param name="stopping">Ends it.</param>
    /// <returns>The text, trimmed and perhaps empty; its version and its place in words.</returns>
    /// <exception cref="ProblemException">It can't be read; says why.</exception>
    public async Task<(SecretValue Value, string Version)> ReadAsync(SecretConfig source, string key, CancellationToken stopping)
    {
        var raw = await ReadAsync(source, stopping);
        var text = source.Json is { } field ? ExtractField(key, key, source, field, raw.Text) : raw.Text;
        var value = new SecretValue(text.Trim());
        vault.AddToScrubList(value);
        return (value, $"version {raw.Version} of {Describe(source)}");
    }

    private Task<RawSecret> ReadAsync(SecretConfig secret, CancellationToken stopping) => secret.Source switch
    {
        SecretSource.Ssm => parameters.ReadAsync(secret.Name, stopping),
        SecretSource.File => ReadFileAsync(secret.Name, stopping),
        SecretSource.Credential => ReadFileAsync(CredentialPath(secret.Name), stopping),
        _ => throw new InvalidOperationException($"No one reads secrets from {secret.Source}."),
    };

    /// <summary>Where systemd has put the unit's credentials; null: this process is not the unit's, or it has none.</summary>
    public static string? CredentialsDirectory => Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY") is { Length: > 0 } directory ? directory : null;

    private static string CredentialPath(string name) =>
        CredentialsDirectory is { } directory
            ? Path.Combine(directory, name)
            : throw new ProblemException(new Problem(ProblemCatalog.SecretNoCredentials,
                $"The systemd credential {name} can't be read: systemd gave this process no credentials.",
                $"Add LoadCredential={name}:/path/to/it to the unit (systemctl edit ragagent) and restart the service."));

    private static async Task<RawSecret> ReadFileAsync(string path, CancellationToken stopping)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxFileSize)
            {
                throw new ProblemException(new Problem(ProblemCatalog.SecretFileTooLarge,
                    $"The secret's file {path} has {file.Length} bytes; at most {MaxFileSize} make sense.", "Check the path in the configuration."));
            }
            var text = await File.ReadAllTextAsync(path, stopping);
            return new RawSecret(text, Fingerprint.Of(file.LastWriteTimeUtc.Ticks.ToString(), file.Length.ToString()));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretFileMissing,
                $"The secret's file {path} does not exist.", "Create it, readable by the agent's user, or change the path in the configuration."), exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretFileDenied,
                $"The secret's file {path} can't be read: permission denied.", "Give the agent's user the right to read it."), exception);
        }
    }

    private static SecretValue Validate(string variable, SecretConfig secret, RawSecret raw)
    {
        var text = secret.Json is { } field ? ExtractField(variable, $"secrets.{variable}", secret, field, raw.Text) : raw.Text;
        text = text.Trim();
        if (text.Length == 0)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretEmpty,
                $"The {Describe(secret)} is empty, so {variable} would be empty.",
                "Put the real value there; the app is not started without it."));
        }
        if (text.Contains('\0'))
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretMalformed,
                $"The {Describe(secret)} holds a zero byte, which no environment variable can carry.", "Put the real value there."));
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
                    $"The {Describe(secret)} is JSON but has no text field '{field}' for {consumer}.", $"Correct {key}.json in the configuration, or the value."));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair is an InvalidOperationException. The parser's own message may quote the text: it is left out on purpose.
            throw new ProblemException(new Problem(ProblemCatalog.SecretNotJson,
                $"The {Describe(secret)} is not JSON, but the configuration asks for its field '{field}'.", $"Remove {key}.json from the configuration, or correct the value."));
        }
    }

    private static string Describe(SecretConfig secret) => secret.Source switch
    {
        SecretSource.Ssm => $"parameter {secret.Name}",
        SecretSource.File => $"file {secret.Name}",
        _ => $"credential {secret.Name}",
    };
}
