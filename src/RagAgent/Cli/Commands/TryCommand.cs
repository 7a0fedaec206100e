using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;
using RagAgent.Containers;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent try</c>: runs an image once, before it is pushed, and says whether its app works.</summary>
internal static class TryCommand
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(3);

    public static Command Create()
    {
        var image = new Argument<string>("IMAGE") { Description = "An image that this machine's Docker Engine has." };
        var variables = new Option<string[]>("--env", "-e")
        {
            Description = "Give the app this variable of the command's own environment. Can be repeated.",
            HelpName = "NAME",
        };
        var strict = new Option<bool>("--strict") { Description = "Also fail for errors that a missing key or missing data could explain." };
        var timeout = new Option<TimeSpan>("--timeout")
        {
            Description = "How long the app may take to become ready, and then to show its page.",
            HelpName = "DURATION",
            DefaultValueFactory = _ => DefaultTimeout,
            CustomParser = result =>
            {
                if (Duration.TryParse(result.Tokens[^1].Value, out var duration) && duration > TimeSpan.Zero)
                {
                    return duration;
                }
                result.AddError("--timeout must be a duration, like \"90s\" or \"3m\".");
                return default;
            },
        };
        var cleanUp = new Option<string?>("--clean-up-after") { Hidden = true };
        var command = new Command(
            "try",
            "Run an image once and say whether its app works. The container is removed afterwards. " +
            "Exit code 1: the app doesn't compile, lacks a module or exits.")
        {
            image,
            variables,
            strict,
            timeout,
            cleanUp,
        };
        command.SetAction((parsed, stopping) => parsed.GetValue(cleanUp) is { } container
            ? CleanUpAsync(container)
            : RunAsync(
                parsed.GetValue(image)!, parsed.GetValue(variables) ?? [], parsed.GetValue(strict), parsed.GetValue(timeout), stopping));
        return command;
    }

    private static async Task<int> RunAsync(string image, string[] variables, bool strict, TimeSpan timeout, CancellationToken stopping)
    {
        var secrets = new List<LoadedSecret>();
        foreach (var variable in variables.Distinct())
        {
            if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } value)
            {
                await Console.Error.WriteLineAsync(
                    $"ragagent: --env names {UntrustedText.ToLine(variable, 100)}, which is not set in this command's environment. Export it first. " +
                    "Its value must not be an argument, which every user of the machine could read.");
                return ExitCodes.Usage;
            }
            secrets.Add(new LoadedSecret(variable, new SecretValue(value), SecretDelivery.Memory));
        }
        var name = $"{TryContainer.NamePrefix}{Guid.NewGuid().ToString("N")[..12]}";
        var folder = Directory.CreateTempSubdirectory("ragagent-try-");
        using var logging = new AgentLogging(OutputKind.Plain, Console.Error);
        logging.Vault.Store(TryContainer.SecretsFingerprint, secrets);
        try
        {
            var config = await CreateConfigAsync(image, name, secrets, timeout, stopping);
            using var cleanup = StartCleanup(image, name);
            await using var host = TryHost.Build(config, new StateDirectory(folder.FullName), logging);
            var tryout = new Tryout(
                config, host.GetRequiredService<TryContainer>(), host.GetRequiredService<IProber>(), TimeProvider.System);
            var verdict = await tryout.RunAsync(stopping);
            await cleanup.StandardInput.WriteAsync('.');
            return await ReportAsync(verdict, image, strict);
        }
        catch (ProblemException exception)
        {
            await Console.Error.WriteLineAsync($"ragagent: {exception.Problem}");
            return ExitCodes.Failed;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> ReportAsync(TryVerdict verdict, string image, bool strict)
    {
        var sentence = verdict.Describe(image);
        if (verdict.IsCertain || (strict && verdict.IsDoubtful))
        {
            await Console.Error.WriteLineAsync($"error: {sentence}");
            return ExitCodes.Failed;
        }
        Console.WriteLine(verdict.IsDoubtful
            ? $"warning: {sentence} This is not an error here, because keys and data may be missing; --strict makes it one."
            : sentence);
        return ExitCodes.Ok;
    }

    private static async Task<AgentConfig> CreateConfigAsync(
        string image, string name, List<LoadedSecret> secrets, TimeSpan timeout, CancellationToken stopping)
    {
        using var connection = new EngineConnection(TimeProvider.System);
        var (port, basePath) = await TryContainer.ReadAddressAsync(connection, image, stopping);
        var defaults = new HealthConfig();
        return new AgentConfig
        {
            Image = image,
            Container = new ContainerConfig { Name = name, Port = port },
            Secrets = secrets.ToDictionary(
                secret => secret.Variable, secret => new SecretConfig(SecretSource.Credential, secret.Variable, Delivery: secret.Delivery)),
            Health = new HealthConfig
            {
                Startup = defaults.Startup with { Path = basePath + defaults.Startup.Path, Deadline = timeout },
                Gate = defaults.Gate with { WebSocket = basePath + defaults.Gate.WebSocket, Timeout = timeout },
            },
        };
    }

    /// <summary>A process that outlives this one, even if this one is killed, by as long as the removal takes.</summary>
    private static Process StartCleanup(string image, string name)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["try", image, "--clean-up-after", name]) { RedirectStandardInput = true };
        return Process.Start(start)!;
    }

    private static async Task<int> CleanUpAsync(string container)
    {
        // Ctrl-C reaches it, too, and must not end it before its work is done.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        using var connection = new EngineConnection(TimeProvider.System);
        await using var input = Console.OpenStandardInput();
        await new TryCleanup(connection).RunAsync(container, input);
        return ExitCodes.Ok;
    }
}
