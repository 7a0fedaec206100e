using System.Text.Json;
using LocalAws.Ssm;

namespace LocalAws.Admin;

/// <summary>The HTTP paths that control LocalAws, for scripts (see README.md). They are not part of AWS and are not recorded.</summary>
internal sealed class AdminApi(LocalAwsServer server)
{
    public const string Root = "/_local-aws";

    public static bool CanHandle(PathString path) => path.StartsWithSegments(Root);

    public async Task RespondAsync(HttpContext context)
    {
        var request = context.Request;
        context.Request.Path.StartsWithSegments(Root, out var rest);
        switch (request.Method, rest.Value)
        {
            case ("PUT", "/parameters"):
                await PutParameterAsync(context);
                break;
            case ("DELETE", "/parameters"):
                await RespondAsync(context, server.Parameters.Remove(Query(context, "name")) ? 200 : 404);
                break;
            case ("PUT", "/repositories"):
                server.Repositories.Create(Query(context, "name"));
                break;
            case ("PUT", "/hosted-zones"):
                server.HostedZones.Add(Query(context, "id"), Query(context, "name"));
                break;
            case ("GET", "/records"):
                await WriteRecordsAsync(context);
                break;
            case ("PUT", "/instance"):
                UpdateInstance(context);
                break;
            case ("GET", "/faults"):
                await WriteJsonAsync(context, JsonSerializer.Serialize(server.Faults.Snapshot(), AdminJson.Default.IReadOnlyListFaultRule));
                break;
            case ("POST", "/faults"):
                await AddFaultAsync(context);
                break;
            case ("DELETE", "/faults"):
                server.Faults.Clear(Query(context, "operation") is { Length: > 0 } operation ? operation : null);
                break;
            case ("GET", "/requests"):
                await WriteJsonAsync(
                    context, JsonSerializer.Serialize(server.Requests.Snapshot(), AdminJson.Default.IReadOnlyListRecordedRequest));
                break;
            case ("DELETE", "/requests"):
                server.Requests.Clear();
                break;
            case ("POST", "/registry-tokens/expire"):
                server.RegistryTokens.ExpireAll();
                break;
            case ("POST", "/role-credentials/expire"):
                server.RoleCredentials.ExpireAll();
                break;
            default:
                await RespondAsync(context, 404, $"{request.Method} {request.Path} does not exist; see README.md.");
                break;
        }
    }

    private async Task PutParameterAsync(HttpContext context)
    {
        var name = Query(context, "name");
        var typeText = Query(context, "type") is { Length: > 0 } typeName ? typeName : nameof(ParameterType.SecureString);
        if (name.Length == 0 || !Enum.TryParse<ParameterType>(typeText, out var type))
        {
            await RespondAsync(context, 400, "Set ?name=NAME, optionally &type=String or StringList (default SecureString). The body is the value.");
            return;
        }
        using var body = new StreamReader(context.Request.Body);
        var version = server.Parameters.Put(name, await body.ReadToEndAsync(context.RequestAborted), type);
        await RespondAsync(context, 200, $"{name} version {version}");
    }

    private async Task WriteRecordsAsync(HttpContext context)
    {
        try
        {
            await RespondAsync(context, 200, string.Join('\n', server.HostedZones.Records(Query(context, "zone"))));
        }
        catch (AwsErrorException refusal)
        {
            await RespondAsync(context, refusal.Error.Status, refusal.Error.Message!);
        }
    }

    /// <summary>A missing parameter leaves the address as it is. An empty one removes it.</summary>
    private void UpdateInstance(HttpContext context)
    {
        string? Updated(string name, string? current) => context.Request.Query.ContainsKey(name)
            ? Query(context, name) is { Length: > 0 } value ? value : null
            : current;
        server.Instance = server.Instance with
        {
            PublicIpv4 = Updated("publicIpv4", server.Instance.PublicIpv4),
            Ipv6 = Updated("ipv6", server.Instance.Ipv6),
        };
    }

    private async Task AddFaultAsync(HttpContext context)
    {
        try
        {
            var rule = await JsonSerializer.DeserializeAsync(context.Request.Body, AdminJson.Default.FaultRule, context.RequestAborted)
                ?? throw new JsonException("the body is null");
            server.Faults.Add(rule.Operation, rule.Fault, rule.Times, rule.Method, rule.Role);
        }
        catch (Exception bad) when (bad is JsonException or ArgumentException or NotSupportedException)
        {
            await RespondAsync(context, 400, $"The fault was not set: {bad.Message}");
        }
    }

    private static string Query(HttpContext context, string name) => context.Request.Query[name].ToString();

    private static Task RespondAsync(HttpContext context, int status, string text = "")
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text.Length > 0 ? text + "\n" : "", context.RequestAborted);
    }

    private static Task WriteJsonAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json + "\n", context.RequestAborted);
    }
}
