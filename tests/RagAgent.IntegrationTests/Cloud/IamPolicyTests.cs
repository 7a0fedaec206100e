using System.Text.Json.Nodes;
using LocalAws.Registry;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// The stack's policies allow exactly what is called: the agent and a push do everything against LocalAws. Each signed call must be
/// allowed, and nothing may be allowed that was not called.
/// </summary>
public sealed class IamPolicyTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Zone = "Z0123456789ABCDEFGHIJ";
    private const string Record = "rag.example.com";
    private const string PasswordParameter = "/ragstream/PASSWORD_HASH";

    [Fact]
    public async Task The_agents_policy_allows_exactly_what_the_agent_calls()
    {
        Aws.Parameters.Put(PasswordParameter, (await ProcessRunner.RunAsync(
            EngineFixture.Binary, ["password"], AgentEnvironment, "open sesame, please\n", TestCancellation)).AssertSucceeded());
        Config["access"] = new JsonObject { ["password"] = PasswordParameter };
        // The test machine has been up for longer than the grace.
        Config["idle"] = new JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        Aws.HostedZones.Add(Zone, "example.com");
        Aws.Instance = Aws.Instance with { PublicIpv4 = "203.0.113.7" };
        Config["dns"] = new JsonObject { ["zone"] = Zone, ["name"] = Record };
        ConfigureUpdate("start-first", "1s");
        Config["update"]!["when"] = "now";
        await PushAsync("1");

        // All its uses of AWS: start, DNS record, doctor, update, rollback, reading the secrets again, and stopping the instance.
        StartAgent();
        await WaitUntilServingAsync();
        Assert.Contains(
            "Nothing failed",
            (await RunCommandAsync(
                "doctor", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory)).Output,
            StringComparison.Ordinal);
        var first = (await WaitForAsync(s => s.Rollout.Phase == "settled" && s.Dns!.Addresses.Count == 1, "the first is good")).App.Digest;
        await PushAsync("2");
        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.App.State == "serving" && s.App.Digest != first && s.Rollout.Phase == "settled", "the second is good");
        (await RequestAsync("rollback")).AssertSucceeded();
        await WaitForAsync(s => s.App.State == "serving" && s.App.Digest == first, "the first is back");
        await WaitForAsync(s => s.Idle is { Stopping: true }, "the stop is accepted");

        var template = CloudFormationTemplate.Stack(
            ("PasswordParameter", PasswordParameter), ("IdleStopAfter", "10s"), ("HostedZoneId", Zone), ("RecordName", Record));
        // The instance's tags as the stack sets them, and what the agent writes to the hosted zone.
        var instance = template.Resource("Instance")!;
        var context = instance["Tags"]!.AsArray().ToDictionary(
            tag => $"aws:ResourceTag/{(string)tag!["Key"]!}", tag => new[] { (string)tag!["Value"]! });
        context["route53:ChangeResourceRecordSetsNormalizedRecordNames"] = [Record];
        context["route53:ChangeResourceRecordSetsRecordTypes"] = ["A", "AAAA"];
        context["route53:ChangeResourceRecordSetsActions"] = ["UPSERT"];

        AssertExact(new IamPolicy(template.Resource("AgentPolicy")!["PolicyDocument"]!), CallsOf(":assumed-role/"), context);
        const string instanceArn = $"arn:aws:ec2:eu-central-1:123456789012:instance/{CloudFormationTemplate.InstanceId}";
        Assert.Empty(new IamPolicy(template.Resource("AgentPolicy")!["PolicyDocument"]!).Allowing(
            new IamCall("ec2:StopInstances", instanceArn),
            new Dictionary<string, string[]> { ["aws:ResourceTag/ragagent-stack"] = ["another"] }));
    }

    [Fact]
    public async Task GitHubs_policy_allows_exactly_what_a_push_calls()
    {
        Aws.Credentials.Add(new LocalAws.Signing.AwsCredential("AKIDPUSHER", "pushers-secret", null, null, "arn:aws:iam::123456789012:user/github-ragstream-ci"));
        Aws.Repositories.Create("ragstream-web");
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "image")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n", TestCancellation);
        await Docker.RunCheckedAsync("build", "--quiet", "--tag", $"{Repository}:latest", folder);

        var token = await new EcrClient(Aws).TokenAsync("AKIDPUSHER", "pushers-secret", TestCancellation);
        (await Docker.RunWithInputAsync(token, "login", "--username", "AWS", "--password-stdin", Aws.RegistryHost)).AssertSucceeded();
        await Docker.RunCheckedAsync("push", "--quiet", $"{Repository}:latest");
        // Builders other than the engine first check whether the manifest exists.
        (await ProcessRunner.RunAsync(
            "skopeo",
            ["inspect", "--raw", "--tls-verify=false", "--authfile", $"{Folder}/docker/config.json", $"docker://{Repository}:latest"],
            stopping: TestCancellation)).AssertSucceeded();

        AssertExact(
            new IamPolicy(CloudFormationTemplate.Stack().Resource("CiPolicy")!["PolicyDocument"]!),
            CallsOf(":user/github-ragstream-ci"),
            new Dictionary<string, string[]>());
    }

    [Fact]
    public void The_agents_policy_allows_nothing_for_features_that_are_off()
    {
        var allowed = new IamPolicy(CloudFormationTemplate.Stack().Resource("AgentPolicy")!["PolicyDocument"]!).Allowed
            .Select(a => a.Action)
            .ToArray();

        Assert.Equal(["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ssm:GetParameter"], allowed);
        Assert.Equal(
            ["AgentPolicy", "CiPolicy", "SessionManagerPolicy"],
            CloudFormationTemplate.Stack().ResourcesOfType("AWS::IAM::Policy").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["AgentPolicy"], CloudFormationTemplate.Stack(("Ci", "none"), ("SessionManager", "false")).ResourcesOfType("AWS::IAM::Policy"));
        Assert.Null(CloudFormationTemplate.Stack(("Ci", "none")).Resource("CiUser"));
    }

    [Fact]
    public void The_policy_allows_beyond_the_agents_own_calls_only_named_actions()
    {
        // With a customer-managed key, Parameter Store decrypts on behalf of the role.
        string[] others = ["kms:Decrypt"];
        const string key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd";
        var withKey = CloudFormationTemplate.Stack(("KmsKeyArn", key), ("HostedZoneId", "Z1"), ("RecordName", "rag.example.com"));
        var withoutKey = CloudFormationTemplate.Stack(("HostedZoneId", "Z1"), ("RecordName", "rag.example.com"));
        var more = new IamPolicy(withKey.Resource("AgentPolicy")!["PolicyDocument"]!);
        var less = new IamPolicy(withoutKey.Resource("AgentPolicy")!["PolicyDocument"]!);
        Assert.Equal(others, more.Allowed.Select(a => a.Action).Except(less.Allowed.Select(a => a.Action)));

        bool Decrypts(string service, string parameter) => more.Allowing(new IamCall("kms:Decrypt", key), new Dictionary<string, string[]>
        {
            ["kms:ViaService"] = [$"{service}.eu-central-1.amazonaws.com"],
            ["kms:EncryptionContext:PARAMETER_ARN"] = [$"arn:aws:ssm:eu-central-1:123456789012:parameter{parameter}"],
        }).Any();
        Assert.True(Decrypts("ssm", Parameter));
        Assert.False(Decrypts("secretsmanager", Parameter));
        Assert.False(Decrypts("ssm", "/another"));

        var change = new IamCall("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1");
        bool Changes(string name, string type, string action) => more.Allowing(change, new Dictionary<string, string[]>
        {
            ["route53:ChangeResourceRecordSetsNormalizedRecordNames"] = [name],
            ["route53:ChangeResourceRecordSetsRecordTypes"] = [type],
            ["route53:ChangeResourceRecordSetsActions"] = [action],
        }).Any();
        Assert.True(Changes("rag.example.com", "A", "UPSERT"));
        Assert.True(Changes("rag.example.com", "AAAA", "DELETE"));
        Assert.False(Changes("rag.example.com", "A", "CREATE"));
        Assert.False(Changes("example.com", "A", "UPSERT"));
        Assert.False(Changes("rag.example.com", "MX", "UPSERT"));
        Assert.Empty(more.Allowing(change, new Dictionary<string, string[]>()));
    }

    /// <summary>The caller's requests for which IAM has an action.</summary>
    private IamCall[] CallsOf(string caller)
    {
        var requests = Aws.Requests.Snapshot().Where(r => r.Principal?.Contains(caller, StringComparison.Ordinal) == true).ToArray();
        Assert.DoesNotContain(requests, r => r.Status is 401 or 403);
        return [.. requests.Select(ToIamCall).OfType<IamCall>()];
    }

    private static IamCall? ToIamCall(RecordedRequest request) => request.Service switch
    {
        "registry" when RegistryActions.ActionFor(request.Operation, request.Method) is { } action =>
            new IamCall(action, $"arn:aws:ecr:eu-central-1:123456789012:repository/{request.Resource.Split('@', ':')[0]}"),
        // Requests for the registry's root, which only need the login.
        "registry" => request.Resource.Length == 0 ? null : throw new NotSupportedException($"{request.Method} of {request.Resource} has no action here."),
        _ => new IamCall(request.Operation, request.Resource),
    };

    private static void AssertExact(IamPolicy policy, IamCall[] calls, IReadOnlyDictionary<string, string[]> context)
    {
        Assert.NotEmpty(calls);
        var granted = calls.Distinct().Select(call => (Call: call, By: policy.Allowing(call, context).ToArray())).ToArray();
        Assert.Empty(granted.Where(g => g.By.Length == 0).Select(g => g.Call));            // called, and not allowed
        Assert.Empty(policy.Allowed.Except(granted.SelectMany(g => g.By)));                // allowed, and never called
    }
}
