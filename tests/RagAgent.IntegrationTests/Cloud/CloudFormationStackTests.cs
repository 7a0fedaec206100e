using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>What the stack creates, evaluated as CloudFormation would. scripts/lint.sh checks that every property exists.</summary>
public sealed class CloudFormationStackTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void The_instance_hides_its_credentials_from_the_container_and_encrypts_its_disks()
    {
        var instance = CloudFormationTemplate.Stack().Resource("Instance")!;

        Assert.Equal(
            """{"HttpEndpoint":"enabled","HttpTokens":"required","HttpPutResponseHopLimit":"1"}""",
            instance["MetadataOptions"]!.ToJsonString());
        Assert.Equal("stop", (string?)instance["InstanceInitiatedShutdownBehavior"]);
        Assert.Equal("true", (string?)instance["BlockDeviceMappings"]![0]!["Ebs"]!["Encrypted"]);
        Assert.Equal("true", (string?)CloudFormationTemplate.Stack().Resource("DataVolume")!["Encrypted"]);
        Assert.Equal(
            (string?)instance["AvailabilityZone"], (string?)CloudFormationTemplate.Stack().Resource("DataVolume")!["AvailabilityZone"]);
    }

    [Fact]
    public void The_security_group_opens_80_and_443_and_8501_only_on_request()
    {
        Assert.Equal(["80 0.0.0.0/0", "443 0.0.0.0/0"], Open());
        Assert.Equal(
            ["80 203.0.113.0/24", "443 203.0.113.0/24", "8501 203.0.113.7/32"],
            Open(("Visitors", "203.0.113.0/24"), ("StreamlitVisitors", "203.0.113.7/32")));

        static IEnumerable<string> Open(params (string, string)[] parameters)
        {
            var rules = CloudFormationTemplate.Stack(parameters).Resource("SecurityGroup")!["SecurityGroupIngress"]!.AsArray();
            return rules.Select(rule =>
            {
                Assert.Equal((string?)rule!["FromPort"], (string?)rule["ToPort"]);
                return $"{rule["FromPort"]} {rule["CidrIp"]}";
            });
        }
    }

    [Fact]
    public void The_image_tagged_latest_never_expires()
    {
        var repository = CloudFormationTemplate.Stack(("KeepImages", "7")).Resource("ImageRepository")!;
        var rules = JsonNode.Parse((string)repository["LifecyclePolicy"]!["LifecyclePolicyText"]!)!["rules"]!.AsArray();

        Assert.Equal([1, 2, 3], rules.Select(rule => (int)rule!["rulePriority"]!));
        Assert.Equal(["latest"], rules[0]!["selection"]!["tagPatternList"]!.AsArray().Select(tag => (string?)tag));
        Assert.Equal(("any", 7), ((string?)rules[2]!["selection"]!["tagStatus"], (int)rules[2]!["selection"]!["countNumber"]!));
    }

    [Fact]
    public void GitHubs_role_trusts_two_refs_of_one_repository_and_replaces_the_user()
    {
        var stack = CloudFormationTemplate.Stack(("Ci", "role"), ("GitHubRepository", "owner/app"));

        var trust = stack.Resource("CiRole")!["AssumeRolePolicyDocument"]!["Statement"]![0]!["Condition"]!;
        Assert.Equal("""{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}""", trust["StringEquals"]!.ToJsonString());
        Assert.Equal(["repo:owner/app:ref:refs/heads/main", "repo:owner/app:ref:refs/tags/deploy-*"],
            trust["StringLike"]!["token.actions.githubusercontent.com:sub"]!.AsArray().Select(sub => (string?)sub));
        Assert.Null(stack.Resource("CiUser"));
        Assert.NotNull(stack.Resource("OidcProvider"));
        Assert.Null(stack.Resource("CiPolicy")!["Users"]);
        const string provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
        var withProvider = CloudFormationTemplate.Stack(
            ("Ci", "role"), ("GitHubRepository", "owner/app"), ("GitHubOidcProvider", provider));
        Assert.Null(withProvider.Resource("OidcProvider"));
    }

    [Fact]
    public void The_nightly_schedule_may_stop_only_this_instance()
    {
        Assert.Null(CloudFormationTemplate.Stack().Resource("NightlySchedule"));
        var stack = CloudFormationTemplate.Stack(("NightlyStop", "cron(0 22 * * ? *)"));

        Assert.Equal($$"""{ "InstanceIds": ["{{CloudFormationTemplate.InstanceId}}"] }""", (string?)TargetOf(stack)["Input"]);
        var policy = new IamPolicy(stack.Resource("NightlyStopRole")!["Policies"]![0]!["PolicyDocument"]!);
        Assert.Equal([new IamCall("ec2:StopInstances", $"arn:aws:ec2:eu-central-1:123456789012:instance/{CloudFormationTemplate.InstanceId}")], policy.Allowed);

        static JsonNode TargetOf(CloudFormationTemplate stack) => stack.Resource("NightlySchedule")!["Target"]!;
    }

    [Theory]
    [InlineData("", "", "", "")]
    [InlineData("/ragstream/PASSWORD_HASH", "", "", "")]
    [InlineData("", "90m", "", "")]
    [InlineData("", "", "Z0123456789ABCDEFGHIJ", "rag.example.com")]
    public async Task The_configuration_written_at_the_first_boot_is_valid(string password, string idle, string zone, string name)
    {
        var data = UserDataScripts.FromStack(CloudFormationTemplate.Stack(
            ("PasswordParameter", password), ("IdleStopAfter", idle), ("HostedZoneId", zone), ("RecordName", name)));
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, data.File("/etc/ragagent.json"), TestCancellation);

        var output = await ProcessRunner.RunAsync(EngineFixture.Binary, ["config", "check", file], stopping: TestCancellation);
        File.Delete(file);

        output.AssertSucceeded();
        var config = JsonNode.Parse(data.File("/etc/ragagent.json"))!;
        Assert.Equal(password, (string?)config["access"]!["password"] ?? "");
        Assert.Equal(idle, (string?)config["idle"]?["stopAfter"] ?? "");
        Assert.Equal((zone, name), ((string?)config["dns"]?["zone"] ?? "", (string?)config["dns"]?["name"] ?? ""));
    }

    [Theory]
    [InlineData("false", "delete")]
    [InlineData("true", null)]
    public void Without_an_Elastic_IP_the_DNS_record_is_deleted_on_stop(string elasticIp, string? onStop)
    {
        var data = UserDataScripts.FromStack(CloudFormationTemplate.Stack(
            ("ElasticIp", elasticIp), ("HostedZoneId", "Z0123456789ABCDEFGHIJ"), ("RecordName", "rag.example.com")));

        Assert.Equal(onStop, (string?)JsonNode.Parse(data.File("/etc/ragagent.json"))!["dns"]!["onStop"]);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("snap-0123", "snap-0123")]
    public void The_data_volume_is_empty_or_created_from_a_snapshot(string snapshot, string? expected) =>
        Assert.Equal(expected, (string?)CloudFormationTemplate.Stack(("DataSnapshot", snapshot)).Resource("DataVolume")!["SnapshotId"]);

    [Fact]
    public void Both_user_data_documents_fit_EC2_and_install_the_same_way()
    {
        var stack = UserDataScripts.FromStack(
            CloudFormationTemplate.Stack(("PackageUrl", "https://example.com/ragagent-VERSION-linux-x64.tar.gz"), ("PackageSha256", new string('0', 64))));
        var byHand = new UserDataScripts(RepositoryFiles.Read("packaging/ami/user-data.yaml"));

        Assert.All([stack, byHand], data =>
        {
            Assert.StartsWith("#cloud-config\n", data.Text, StringComparison.Ordinal);
            Assert.InRange(Encoding.UTF8.GetByteCount(data.Text), 0, 16 * 1024);
        });
        Assert.Equal(byHand.RunScript, stack.RunScript);
    }
}
