using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RagAgent.Tests.Support;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// Answers the <c>aws</c> command for services that LocalAws lacks: CloudFormation (the stack that the template creates from its
/// parameters), the state of one EC2 instance, and what the guide needs of IAM, S3, STS and others. The command itself validates each call.
/// </summary>
internal sealed class FakeAws : IAsyncDisposable
{
    private const string Account = "123456789012";

    private static readonly string[] ReadPrefixes = ["Describe", "List", "Get"];

    private readonly TestServer _server;
    private readonly string _registryHost;
    private readonly Dictionary<string, string> _parameters = new() { ["Ubuntu"] = "ami-0123456789abcdef0" };
    private readonly List<string> _calls = [];
    private string _instance = "running";
    private bool _updated;

    private FakeAws(TestServer server, string registryHost) => (_server, _registryHost) = (server, registryHost);

    /// <param name="registryHost">Replaces ECR's host name in the stack's outputs.</param>
    /// <param name="publicAddress">The instance's public address.</param>
    public static async Task<FakeAws> StartAsync(string registryHost, string publicAddress)
    {
        FakeAws? fakeAws = null;
        var server = await TestServer.StartAsync(call => fakeAws!.AnswerAsync(call), record: false);
        return fakeAws = new FakeAws(server, registryHost) { PublicAddress = publicAddress };
    }

    public string Endpoint => _server.Address.ToString();

    /// <summary>The calls that change something, in order, by their IAM action names.</summary>
    public IReadOnlyList<string> Changes =>
        [.. _calls.Where(call => !ReadPrefixes.Any(prefix => call.Contains(prefix, StringComparison.Ordinal)))];

    /// <summary>Null until it is created and after it is deleted.</summary>
    public CloudFormationTemplate? Stack { get; private set; }

    public string PublicAddress { get; private init; } = "";

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Called when LocalAws accepted the instance's stop.</summary>
    public void MarkInstanceStopped() => _instance = "stopped";

    private async Task AnswerAsync(HttpContext call)
    {
        if (call.Request.Headers.TryGetValue("X-Amz-Target", out var target))
        {
            var (service, action) = target.ToString() is var named && named.StartsWith("AmazonSSM", StringComparison.Ordinal)
                ? ("ssm", named.Split('.')[1])
                : ("ecr", named.Split('.')[1]);
            _calls.Add($"{service}:{action}");
            await WriteAsync(call, "application/x-amz-json-1.1", action == "DeleteParameters"
                ? await DeleteParametersAsync(call)
                : """{ "repository": { "repositoryName": "ragstream-web" } }""");
        }
        else if (call.Request.HasFormContentType)
        {
            var form = await call.Request.ReadFormAsync();
            var action = form["Action"].ToString();
            _calls.Add(action);
            if (Answer(action, form) is { } inner)
            {
                await WriteAsync(call, "text/xml", $"<{action}Response>{inner}</{action}Response>");
            }
            else
            {
                call.Response.StatusCode = 400;
                await WriteAsync(
                    call,
                    "text/xml",
                    "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ragstream does not exist</Message></Error></ErrorResponse>");
            }
        }
        else
        {
            await AnswerS3Async(call);
        }
    }

    /// <returns>The response's content, or null if there is no stack.</returns>
    private string? Answer(string action, IFormCollection form) => action switch
    {
        "GetCallerIdentity" => $"<GetCallerIdentityResult><Account>{Account}</Account></GetCallerIdentityResult>",
        "DescribeStacks" => Stack is null ? null : $"<DescribeStacksResult><Stacks><member>{StackXml()}</member></Stacks></DescribeStacksResult>",
        // For an update, the command asks for the parameters to know which ones keep their values.
        "GetTemplateSummary" => "<GetTemplateSummaryResult><Parameters>" +
            string.Concat(Stack!.Parameters.Select(name => $"<member><ParameterKey>{name}</ParameterKey></member>")) +
            "</Parameters></GetTemplateSummaryResult>",
        "CreateChangeSet" => ChangeStack(form),
        "DescribeChangeSet" => "<DescribeChangeSetResult><Status>CREATE_COMPLETE</Status></DescribeChangeSetResult>",
        "ExecuteChangeSet" => "<ExecuteChangeSetResult/>",
        "SetStackPolicy" or "ModifyInstanceAttribute" or "DeleteAccessKey" => "",
        "DeleteStack" => DeleteStack(),
        "CreateAccessKey" =>
            "<CreateAccessKeyResult><AccessKey><UserName>github-ragstream-ci</UserName><AccessKeyId>AKIDLOCALAWSCIUSER00</AccessKeyId>" +
            "<Status>Active</Status><SecretAccessKey>planted-ci-secret</SecretAccessKey></AccessKey></CreateAccessKeyResult>",
        "ListAccessKeys" => "<ListAccessKeysResult><AccessKeyMetadata><member><AccessKeyId>AKIDLOCALAWSCIUSER00</AccessKeyId></member></AccessKeyMetadata></ListAccessKeysResult>",
        "StartInstances" => StartInstance(),
        "DescribeInstances" =>
            $"<reservationSet><item><instancesSet><item><instanceId>{CloudFormationTemplate.InstanceId}</instanceId>" +
            $"<instanceState><name>{_instance}</name></instanceState><ipAddress>{PublicAddress}</ipAddress>" +
            "</item></instancesSet></item></reservationSet>",
        _ => throw new NotSupportedException($"{action} is not supported here."),
    };

    private string ChangeStack(IFormCollection form)
    {
        for (var i = 1; form.TryGetValue($"Parameters.member.{i}.ParameterKey", out var name); i++)
        {
            if (form.TryGetValue($"Parameters.member.{i}.ParameterValue", out var value))
            {
                _parameters[name.ToString()] = value.ToString();
            }
        }
        _updated = Stack is not null;
        Stack = CloudFormationTemplate.Stack([.. _parameters.Select(p => (p.Key, p.Value))]);
        return "<CreateChangeSetResult><Id>arn:aws:cloudformation:eu-central-1:123456789012:changeSet/1</Id><StackId>ragstream</StackId></CreateChangeSetResult>";
    }

    private string StackXml() => $"<StackName>ragstream</StackName><StackStatus>{(_updated ? "UPDATE" : "CREATE")}_COMPLETE</StackStatus><Outputs>" + string.Concat(
        from name in Stack!.Outputs
        let value = Stack.Output(name)
        where value is not null
        let reachable = value.Replace($"{Account}.dkr.ecr.eu-central-1.amazonaws.com", _registryHost, StringComparison.Ordinal)
        select $"<member><OutputKey>{name}</OutputKey><OutputValue>{reachable}</OutputValue></member>") + "</Outputs>";

    private string StartInstance()
    {
        _instance = "running";
        return "";
    }

    private string DeleteStack()
    {
        Stack = null;
        return "";
    }

    private async Task AnswerS3Async(HttpContext call)
    {
        _calls.Add($"s3:{call.Request.Method} {call.Request.Path}");
        await call.Request.Body.CopyToAsync(Stream.Null);
        call.Response.Headers.ETag = "\"1\"";
        await WriteAsync(call, "application/xml", call.Request.Method == "GET" ? "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>" : "");
    }

    private static async Task<string> DeleteParametersAsync(HttpContext call)
    {
        var request = JsonNode.Parse(await new StreamReader(call.Request.Body).ReadToEndAsync())!;
        return new JsonObject
        {
            ["DeletedParameters"] = request["Names"]!.DeepClone(),
            ["InvalidParameters"] = new JsonArray(),
        }.ToJsonString();
    }

    private static Task WriteAsync(HttpContext call, string type, string text)
    {
        call.Response.ContentType = type;
        return call.Response.WriteAsync(text);
    }
}
