using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Containers;

/// <summary>Reads what a container listens on with a program of its image, run through the engine.</summary>
/// <remarks>The agent's own sandbox doesn't see the processes of containers, and that stays so.</remarks>
internal sealed class PortInspector(AgentConfig config, EngineConnection connection) : IPortInspector
{
    private const string Files = "/proc/net/tcp /proc/net/tcp6";
    private const int MaxOutput = 1024 * 1024;
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ExecTimeout = TimeSpan.FromSeconds(10);

    // What an image may have. The shell reads the files itself.
    private static readonly string[][] Programs =
    [
        ["cat", .. Files.Split(' ')],
        ["/bin/sh", "-c", $"for file in {Files}; do while read -r line; do echo \"$line\"; done <$file; done"],
    ];

    public async Task<ContainerPorts?> InspectPortsAsync(Container container, CancellationToken stopping)
    {
        foreach (var program in Programs)
        {
            // The first line of each file has the names of its columns.
            if (await RunAsync(container.Id, program, stopping) is { } text && text.Contains("local_address", StringComparison.Ordinal))
            {
                return new ContainerPorts(
                    config.Container.Port, ProcNetTcp.ListeningPorts(text), await ExposedPortsAsync(container.Id, stopping));
            }
        }
        return null;
    }

    /// <returns>Null if the container has no such program.</returns>
    private async Task<string?> RunAsync(string id, string[] program, CancellationToken stopping)
    {
        try
        {
            return await connection.CallAsync("look at the container's ports", ExecTimeout, async (docker, token) =>
            {
                var parameters = new ContainerExecCreateParameters { AttachStdout = true, Cmd = [.. program] };
                var exec = await docker.Exec.CreateContainerExecAsync(id, parameters, token);
                using var stream = await docker.Exec.StartContainerExecAsync(exec.ID, new ContainerExecStartParameters(), token);
                return await ReadAsync(stream, token);
            }, stopping);
        }
        catch (ProblemException exception) when (exception.InnerException is DockerApiException)
        {
            return null;   // engines differ in the status for a missing program
        }
    }

    private static async Task<string> ReadAsync(MultiplexedStream stream, CancellationToken stopping)
    {
        var output = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (output.Length < MaxOutput)
        {
            var read = await stream.ReadOutputAsync(buffer, 0, buffer.Length, stopping);
            if (read.EOF)
            {
                break;
            }
            output.Write(buffer, 0, read.Count);
        }
        return Encoding.ASCII.GetString(output.GetBuffer(), 0, (int)output.Length);
    }

    /// <summary>Of the image: the container itself also exposes the port that the agent forwards to.</summary>
    private Task<ImmutableArray<int>> ExposedPortsAsync(string id, CancellationToken stopping) =>
        connection.CallAsync("inspect the image", InspectTimeout, async (docker, token) =>
        {
            var container = await docker.Containers.InspectContainerAsync(id, token);
            var image = await docker.Images.InspectImageAsync(container.Image, token);
            var exposed = image.Config?.ExposedPorts?.Keys ?? Enumerable.Empty<string>();
            return exposed.Where(port => port.EndsWith("/tcp", StringComparison.Ordinal))
                .Select(port => int.TryParse(port[..^"/tcp".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
                .Where(port => port > 0).Order().ToImmutableArray();
        }, stopping);
}
