using System.Text.Json;
using LocalAws.Ssm;

namespace LocalAws.Admin;

/// <summary>The switches of LocalAws over HTTP, for scripts; README.md lists them. Nothing here is part of AWS, nothing is recorded.</summary>
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
                await WriteJsonAsync(context, JsonSerializer.Serialize(server.Requests.Snapshot(), AdminJson.Default.IReadOnlyListRecordedRequest));
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
                await RespondAsync(context, 404, $"There is no {request.Method} {request.Path}; README.md lists what there is.");
                break;
        }
    }

    private async Task PutParameterAsync(HttpContext context)
    {
        var name = Query(context, "name");
        var typeText = Query(context, "type") is { Length: > 0 } typeName ? typeName : nameof(ParameterType.SecureString);
        if (name.Length == 0 || !Enum.TryParse<ParameterType>(typeText, out var type))
        {
            await RespondAsync(context, 400, "Give ?name=NAME and, if it is not SecureString, &type=String or StringList; the value is the body.");
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

    /// <summary>What is not named stays; what is named and empty is gone.</summary>
    private void UpdateInstance(HttpContext context)
    {
        string? Given(string name, string? before) => !context.Request.Query.ContainsKey(name) ? before : Query(context, name) is { Length: > 0 } value ? value : null;
        server.Instance = server.Instance with { PublicIpv4 = Given("publicIpv4", server.Instance.PublicIpv4), Ipv6 = Given("ipv6", server.Instance.Ipv6) };
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
