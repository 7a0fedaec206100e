using System.Globalization;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws.Metadata;

/// <summary>
/// The instance metadata service, version 2 only (HttpTokens required), by the EC2 User Guide ("Instance metadata service"). There is
/// no hop limit, because that is a property of IP packets.
/// </summary>
internal sealed class MetadataService(
    Func<InstanceInfo> getInstance, string region, string account, RoleCredentials role, RequestInterceptor interceptor, TimeProvider clock)
{
    private const string TtlHeader = "X-aws-ec2-metadata-token-ttl-seconds";
    private const string TokenHeader = "X-aws-ec2-metadata-token";
    private readonly SessionTokens _tokens = new(clock);

    /// <summary>Paths of IMDS start with <c>latest</c> or the date of an API version.</summary>
    public static bool CanHandle(PathString path) => FirstSegment(path) is "latest" || IsVersion(FirstSegment(path));

    public async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value![1..];
        var item = path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..].TrimEnd('/');
        var operation = item switch
        {
            "api/token" => Operations.ImdsToken,
            "meta-data/iam/security-credentials" => Operations.ImdsRole,
            _ when item.StartsWith("meta-data/iam/security-credentials/", StringComparison.Ordinal) => Operations.ImdsCredentials,
            _ => Operations.ImdsOther,
        };
        var fault = await interceptor.InterceptAsync(context, operation, "imds", "/" + path, null);
        if (fault is Fault.Error error)
        {
            await WriteErrorAsync(context, error.Status ?? StatusCodes.Status500InternalServerError);
        }
        else if (operation == Operations.ImdsToken)
        {
            await IssueTokenAsync(context);
        }
        else if (context.Request.Method is not ("GET" or "HEAD"))
        {
            await WriteErrorAsync(context, StatusCodes.Status405MethodNotAllowed);
        }
        else if (!_tokens.IsValid(context.Request.Headers[TokenHeader].ToString()))
        {
            await WriteErrorAsync(context, StatusCodes.Status401Unauthorized);
        }
        else if (FindValue(item, fault) is { } value)
        {
            await context.Response.WriteAsync(value, context.RequestAborted);
        }
        else
        {
            await WriteErrorAsync(context, StatusCodes.Status404NotFound);
        }
    }

    private async Task IssueTokenAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Method != "PUT")
        {
            await WriteErrorAsync(context, StatusCodes.Status405MethodNotAllowed);
        }
        else if (FirstSegment(request.Path) != "latest" || request.Headers.ContainsKey("X-Forwarded-For"))
        {
            await WriteErrorAsync(context, StatusCodes.Status403Forbidden);
        }
        else if (!int.TryParse(request.Headers[TtlHeader], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds is < 1 or > 21600)
        {
            await WriteErrorAsync(context, StatusCodes.Status400BadRequest);
        }
        else
        {
            context.Response.Headers[TtlHeader] = request.Headers[TtlHeader];
            await context.Response.WriteAsync(_tokens.Issue(TimeSpan.FromSeconds(seconds)), context.RequestAborted);
        }
    }

    private string? FindValue(string item, Fault? fault)
    {
        var instance = getInstance();
        return item switch
        {
            "meta-data/instance-id" => instance.InstanceId,
            "meta-data/instance-type" => instance.InstanceType,
            "meta-data/ami-id" => instance.ImageId,
            "meta-data/instance-life-cycle" => instance.LifeCycle,
            "meta-data/placement/region" => region,
            "meta-data/placement/availability-zone" => region + "a",
            "meta-data/local-ipv4" => instance.LocalIpv4,
            "meta-data/public-ipv4" => instance.PublicIpv4,
            "meta-data/ipv6" => instance.Ipv6,
            "meta-data/iam/info" => IamInfo(instance),
            "meta-data/iam/security-credentials" => instance.RoleName,
            _ when instance.RoleName is { } name && item == $"meta-data/iam/security-credentials/{name}" => RoleDocument(instance, fault),
            "dynamic/instance-identity/document" => IdentityDocument(instance),
            _ => null,
        };
    }

    private string RoleDocument(InstanceInfo instance, Fault? fault)
    {
        var now = FormatTime(clock.GetUtcNow());
        if (fault is Fault.RoleRefused)
        {
            return new JsonObject
            {
                ["Code"] = "AssumeRoleUnauthorizedAccess",
                ["Message"] = $"EC2 cannot assume the role {instance.RoleName}. Please see documentation at "
                    + "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.",
                ["LastUpdated"] = now,
            }.ToString();
        }

        var credential = fault is Fault.ExpiredCredentials ? role.Expired(instance) : role.Current(instance);
        return new JsonObject
        {
            ["Code"] = "Success",
            ["LastUpdated"] = now,
            ["Type"] = "AWS-HMAC",
            ["AccessKeyId"] = credential.AccessKeyId,
            ["SecretAccessKey"] = credential.SecretAccessKey,
            ["Token"] = credential.SessionToken,
            ["Expiration"] = FormatTime(credential.Expires!.Value),
        }.ToString();
    }

    private string? IamInfo(InstanceInfo instance) => instance.RoleName is null ? null : new JsonObject
    {
        ["Code"] = "Success",
        ["LastUpdated"] = FormatTime(clock.GetUtcNow()),
        ["InstanceProfileArn"] = $"arn:aws:iam::{account}:instance-profile/{instance.RoleName}",
        ["InstanceProfileId"] = "AIPAEXAMPLEEXAMPLE123",
    }.ToString();

    private string IdentityDocument(InstanceInfo instance) => new JsonObject
    {
        ["accountId"] = account,
        ["architecture"] = "x86_64",
        ["availabilityZone"] = region + "a",
        ["imageId"] = instance.ImageId,
        ["instanceId"] = instance.InstanceId,
        ["instanceType"] = instance.InstanceType,
        ["privateIp"] = instance.LocalIpv4,
        ["region"] = region,
        ["version"] = "2017-09-30",
    }.ToString();

    private static async Task WriteErrorAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html";
        await context.Response.WriteAsync($"<h1>{status}</h1>", context.RequestAborted);
    }

    private static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string FirstSegment(PathString path) => path.Value!.Split('/', 3) is [_, var first, ..] ? first : "";

    private static bool IsVersion(string segment) =>
        segment == "1.0" || DateOnly.TryParseExact(segment, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
