using System.Net;
using System.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Aws;
using RagAgent.Aws.Dns;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.Runtime;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Aws;

/// <summary>
/// An instance and a hosted zone where a test can change both, and what keeps a name pointed there. The time stands still until it is
/// moved.
/// </summary>
internal sealed class DnsScenario : IAsyncDisposable
{
    public const string InstanceAddress = "203.0.113.7";
    public static readonly DnsConfig KeepOnStop = new() { Zone = "Z1", Name = "rag.example.com" };
    public static readonly DnsConfig DeleteOnStop = KeepOnStop with { OnStop = DnsOnStop.Delete };

    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private TestServer _server = null!;
    private AwsEnvironment _aws = null!;
    private InstanceMetadata _metadata = null!;
    private DnsRecordUpdater? _record;

    private DnsScenario(DnsConfig? dns)
    {
        Config = new AgentConfig { Image = "app", Dns = dns };
        Clock = new AgentClock(Time);
        Address = new DnsStateHolder(Board);
    }

    public AgentConfig Config { get; }

    public DelayRecorder Time { get; } = new(TimeProvider.System.GetUtcNow());

    public AgentClock Clock { get; }

    public StateFeed Board { get; } = new();

    public DnsStateHolder Address { get; }

    public Route53Client Route53 { get; private set; } = null!;

    /// <summary>Values by their IMDS paths. An empty value answers 500, a missing one 404.</summary>
    public Dictionary<string, string> Metadata { get; } = new() { ["public-ipv4"] = InstanceAddress };

    /// <summary>The name's records in the zone, by type.</summary>
    public Dictionary<string, string> Records { get; } = [];

    /// <summary>Handles a request instead of the zone if it returns true.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    /// <summary>systemd's jobs; null for no systemd.</summary>
    public string? Jobs { get; set; }

    public List<string> LogMessages { get; } = [];

    public string Authority => _server.Authority;

    /// <summary>Requests to Route 53 in order: <c>GET</c>, or the action and the value of a change.</summary>
    public string[] Route53Requests => [.. _server.Requests.Where(request => request.Path.StartsWith("/2013-04-01", StringComparison.Ordinal))
        .Select(request => request.Method == "GET" ? "GET" : $"{ElementText(request.Body, "Action")} {ElementText(request.Body, "Value")}")];

    public IReadOnlyList<ReceivedRequest> Requests => _server.Requests;

    public static async Task<DnsScenario> StartAsync(DnsConfig? dns)
    {
        var scenario = new DnsScenario(dns);
        scenario._server = await TestServer.StartAsync(scenario.HandleAsync);
        var address = scenario._server.Address.ToString();
        scenario._aws = new AwsEnvironment(("AWS_ENDPOINT_URL_ROUTE_53", address), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", address), ("AWS_EC2_METADATA_DISABLED", null));
        scenario._metadata = new InstanceMetadata(scenario.Time);
        scenario.Route53 = new Route53Client(AwsEnvironment.CreateAccount(time: scenario.Time), scenario.Time);
        return scenario;
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        _record = new DnsRecordUpdater(
            Config, _metadata, Route53, Address, new ShutdownDetector(Board) { ListJobs = _ => Task.FromResult(Jobs) }, _lifetime, Clock,
            new ListLogger<DnsRecordUpdater>(LogMessages));
        await _record.StartAsync(stopping);
    }

    /// <summary>Stops the agent and waits until the updater has ended.</summary>
    public async Task EndAsync()
    {
        _lifetime.StopApplication();
        await _record!.ExecuteTask!;
    }

    public Task<CheckResult> CheckAsync(CancellationToken stopping) => new DnsCheck(Config, _metadata, Route53).RunAsync(stopping);

    /// <summary>Advances the time until the condition is true.</summary>
    public async Task AdvanceUntilAsync(Func<bool> condition, CancellationToken stopping, double seconds = 1)
    {
        while (!condition())
        {
            Time.Advance(TimeSpan.FromSeconds(seconds));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, stopping);
        }
    }

    public static async Task<bool> RespondWithErrorAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">" +
            $"<Error><Type>Sender</Type><Code>{code}</Code><Message>{SecurityElement.Escape(message)}</Message></Error>" +
            "<RequestId>1</RequestId></ErrorResponse>");
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_record is not null)
        {
            await _record.StopAsync(CancellationToken.None);
            _record.Dispose();
        }
        _metadata.Dispose();
        _aws.Dispose();
        await _server.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == "/latest/api/token")
        {
            await context.Response.WriteAsync("session");
        }
        else if (path.StartsWith("/latest/meta-data/", StringComparison.Ordinal))
        {
            context.Response.StatusCode = Metadata.TryGetValue(path["/latest/meta-data/".Length..], out var value) ? value.Length > 0 ? 200 : 500 : 404;
            await context.Response.WriteAsync(value ?? "");
        }
        else if (Intercept is null || !await Intercept(context))
        {
            await HandleZoneRequestAsync(context);
        }
    }

    private async Task HandleZoneRequestAsync(HttpContext context)
    {
        if (context.Request.Method == "GET")
        {
            var sets = string.Concat(Records.Select(record =>
                $"<ResourceRecordSet><Name>rag.example.com.</Name><Type>{record.Key}</Type>{record.Value}</ResourceRecordSet>"));
            await context.Response.WriteAsync(
                "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">" +
                $"<ResourceRecordSets>{sets}</ResourceRecordSets></ListResourceRecordSetsResponse>");
            return;
        }
        var body = _server.Requests[^1].Body;
        var (action, type, value) = (ElementText(body, "Action"), ElementText(body, "Type"), ElementText(body, "Value"));
        if (!IPAddress.TryParse(value, out _))
        {
            await RespondWithErrorAsync(context, 400, "InvalidChangeBatch", "[Invalid Resource Record]");
        }
        else if (action == "DELETE" && Records.GetValueOrDefault(type) != RecordXml(value))
        {
            await RespondWithErrorAsync(
                context, 400, "InvalidChangeBatch",
                $"[Tried to delete resource record set [name='rag.example.com.', type='{type}'] but the values provided do not match the current values]");
        }
        else if (action == "DELETE")
        {
            Records.Remove(type);
        }
        else
        {
            Records[type] = RecordXml(value);
        }
        await context.Response.CompleteAsync();
    }

    /// <summary>A record as the agent writes it.</summary>
    public static string RecordXml(string value, int ttl = 60) => $"<TTL>{ttl}</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord></ResourceRecords>";

    private static string ElementText(string xml, string element)
    {
        var from = xml.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        return xml[from..xml.IndexOf($"</{element}>", from, StringComparison.Ordinal)];
    }
}
