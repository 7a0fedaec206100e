using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using LocalAws.Admin;

namespace LocalAws.Cli;

/// <summary><c>local-aws serve</c>: runs until SIGTERM or SIGINT.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var stateDir = new Option<DirectoryInfo>("--state-dir")
        {
            Required = true,
            Description = "Stores the registry's images (registry/) and the docker password (docker-password).",
        };
        var region = new Option<string>("--region") { DefaultValueFactory = _ => "eu-central-1" };
        var account = new Option<string>("--account") { DefaultValueFactory = _ => "123456789012" };
        var parameters = new Option<string[]>("--parameter") { Description = "NAME=@FILE: a SecureString with the file's content." };
        var keys = new Option<string[]>("--static-key") { Description = "ID=@FILE: an access key ID with the secret in the file." };
        var apiPort = new Option<int>("--api-port") { Description = "0 (default) for any free port." };
        var registryPort = new Option<int>("--registry-port") { Description = "0 (default) for any free port." };
        var awsHostNames = new Option<string?>("--own-names-at")
        {
            Description = "An address on whose port 443 AWS answers under its real host names. 169.254.169.254 then serves the metadata. "
                + "Use it in a network namespace.",
        };
        var certificate = new Option<string?>("--certificate") { Description = "A PEM file with a certificate for these names and its key." };
        var onStop = new Option<string?>("--on-stop")
        {
            Description = "A shell command that shuts the machine down. Runs when EC2 accepts StopInstances.",
        };
        var readyFile = new Option<string?>("--ready-file") { Description = "Written as JSON when everything answers." };
        var command = new Command("serve", "Run LocalAws until SIGTERM or SIGINT.")
        {
            stateDir, region, account, parameters, keys, apiPort, registryPort, awsHostNames, certificate, onStop, readyFile,
        };
        command.SetAction(result => CommandRunner.RunAsync(() =>
        {
            var directory = result.GetRequiredValue(stateDir).FullName;
            var options = new LocalAwsOptions
            {
                StorageDirectory = Path.Combine(directory, "registry"),
                Region = result.GetRequiredValue(region),
                AccountId = result.GetRequiredValue(account),
                ApiPort = result.GetValue(apiPort),
                RegistryPort = result.GetValue(registryPort),
                AwsHostNamesAddress = result.GetValue(awsHostNames) is { } address ? IPAddress.Parse(address) : null,
                TlsCertificate = result.GetValue(certificate) is { } pem ? X509Certificate2.CreateFromPemFile(pem, pem) : null,
                StaticKeys = (result.GetValue(keys) ?? []).Select(ValueSource.ReadPair).ToDictionary(k => k.Name, k => k.Value),
            };
            var values = (result.GetValue(parameters) ?? []).Select(ValueSource.ReadPair).ToList();
            return ServeAsync(directory, options, values, result.GetValue(onStop), result.GetValue(readyFile));
        }));
        return command;
    }

    private static async Task ServeAsync(
        string directory, LocalAwsOptions options, IReadOnlyList<(string Name, string Value)> parameters, string? onStop, string? readyFile)
    {
        using var stopping = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await using var server = await LocalAwsServer.StartAsync(options, stopping.Token);
            if (onStop is not null)
            {
                server.StopAccepted += () => RunStopCommand(onStop);
            }

            foreach (var (name, value) in parameters)
            {
                server.Parameters.Put(name, value);
            }

            var ready = Describe(server, WritePassword(directory, server));
            if (readyFile is not null)
            {
                ready.WriteTo(readyFile);
            }

            await Console.Out.WriteLineAsync($"LocalAws: API {ready.ApiEndpoint}, registry {ready.RegistryHost}");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Out.WriteLineAsync("LocalAws: stopped.");
        }
        finally
        {
            if (readyFile is not null)
            {
                File.Delete(readyFile);
            }
        }
    }

    /// <summary>Doesn't wait for the command: EC2 answers before the machine is down.</summary>
    private static void RunStopCommand(string command) => Process.Start("/bin/sh", ["-c", command]).Dispose();

    private static ReadyFile Describe(LocalAwsServer server, string passwordFile) => new(
        server.ApiEndpoint.ToString().TrimEnd('/'), server.RegistryHost, server.Options.Region, server.Options.AccountId,
        server.EnvironmentForAgent(), server.DockerLogin.User, passwordFile, Environment.ProcessId);

    private static string WritePassword(string directory, LocalAwsServer server)
    {
        var file = Path.GetFullPath(Path.Combine(directory, "docker-password"));
        File.Delete(file);
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using var writer = new StreamWriter(stream);
        writer.Write(server.DockerLogin.Password);
        return file;
    }
}
