using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace RagAgent.IntegrationTests.Support;

/// <summary>What happened to the containers of one agent, according to the engine's events.</summary>
internal sealed class ContainerHistory : IAsyncDisposable
{
    private readonly Process _events;
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly HashSet<string> _alive;
    private readonly List<string> _starts = [];
    private int _maxAlive;

    private ContainerHistory(Process events, IEnumerable<string> alive)
    {
        _events = events;
        _alive = [.. alive];
        _maxAlive = _alive.Count;
        _reading = ReadAsync();
    }

    public static async Task<ContainerHistory> StartAsync(DockerCli docker, string name)
    {
        // The engine first replays the events since this moment, so none is missed while the command starts.
        var now = string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0:F3}");
        var alive = await docker.RunCheckedAsync("ps", "--quiet", "--no-trunc", "--filter", $"label=ragagent.name={name}");
        var events = ProcessRunner.Start(
            "docker",
            ["events", "--since", now, "--filter", "type=container", "--filter", $"label=ragagent.name={name}", "--format", "{{json .}}"],
            docker.Environment);
        return new ContainerHistory(events, PrivateEngine.Lines(alive));
    }

    /// <summary>Containers that run now.</summary>
    public int Alive => Locked(() => _alive.Count);

    /// <summary>The most containers that ever ran at once.</summary>
    public int MaxAlive => Locked(() => _maxAlive);

    /// <summary>How often a container of this image was started.</summary>
    public int StartsOf(string digest) => Locked(() => _starts.Count(started => started == digest));

    public async ValueTask DisposeAsync()
    {
        _events.Kill();
        await _reading;
        _events.Dispose();
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock)
        {
            return read();
        }
    }

    private async Task ReadAsync()
    {
        while (await _events.StandardOutput.ReadLineAsync() is { } line)
        {
            var message = JsonNode.Parse(line)!;
            var id = message["Actor"]!["ID"]!.GetValue<string>();
            lock (_lock)
            {
                switch (message["Action"]!.GetValue<string>())
                {
                    case "start":
                        _starts.Add(message["Actor"]!["Attributes"]!["ragagent.digest"]!.GetValue<string>());
                        _alive.Add(id);
                        _maxAlive = Math.Max(_maxAlive, _alive.Count);
                        break;
                    case "die":
                        _alive.Remove(id);
                        break;
                    default:
                        break;
                }
            }
        }
    }
}
