using System.Text.Json.Nodes;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Export;

public sealed class EcsTests
{
    private static readonly AwsLocation Frankfurt = new("eu-central-1", "123456789012");

    [Fact]
    public void The_smallest_configuration_exports_one_container_with_a_secret_reference()
    {
        var task = Task(ExportSamples.Minimal, Frankfurt, "arn:aws:iam::123456789012:role/x").Document;
        var app = task["containerDefinitions"]![0]!;

        Assert.Equal("123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragstream-web:latest", (string)app["image"]!);
        Assert.Equal("""[{"name":"OPENAI_API_KEY","valueFrom":"/ragstream/OPENAI_API_KEY"}]""", app["secrets"]!.ToJsonString());
        Assert.Equal(8501, (int)app["portMappings"]![0]!["containerPort"]!);
        Assert.Equal(("1024", "4096", "awsvpc"), ((string)task["cpu"]!, (string)task["memory"]!, (string)task["networkMode"]!));
        Assert.False(app.AsObject().ContainsKey("environment") || app.AsObject().ContainsKey("user") || task.ContainsKey("volumes"));
    }

    [Fact]
    public void Missing_values_are_placeholders_listed_with_their_options()
    {
        var task = Task(ExportSamples.Minimal);
        var options = task.Placeholders.ToDictionary(placeholder => placeholder.Text, placeholder => placeholder.Option);
        var expected = new Dictionary<string, string?>
        {
            ["<region>"] = "--region",
            ["<account>"] = "--account",
            ["<execution-role>"] = "--execution-role",
        };

        Assert.Equal(expected, options);
        Assert.All(options.Keys, text => Assert.Contains(text, JsonFormatter.Format(task.Document), StringComparison.Ordinal));
        Assert.Empty(Task(ExportSamples.Minimal, Frankfurt, "arn:aws:iam::123456789012:role/x").Placeholders);
    }

    [Theory]
    [InlineData(
        "\"app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        false)]
    [InlineData("\"registry.example.com:5000/team/app\"", "registry.example.com:5000/team/app:latest", true)]
    [InlineData("\"app:stable\"", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:stable", true)]
    public void The_exported_image_includes_the_registry_and_a_tag_gets_a_remark_about_digests(
        string image,
        string expected,
        bool hasRemark)
    {
        var task = Task($$"""{ "image": {{image}} }""", Frankfurt);

        Assert.Equal(expected, (string)task.Document["containerDefinitions"]![0]!["image"]!);
        var remarks = task.Remarks.Where(remark => remark.Keys.Contains("image"));
        Assert.Equal(hasRemark, remarks.Any(remark => remark.Sentence.Contains("digest", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("cn-north-1", ".cn/app:latest", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-<suffix-of-S>")]
    [InlineData("us-gov-west-1", ".amazonaws.com/app:latest", "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-<suffix-of-S>")]
    public void Other_partitions_have_their_own_domains_and_ARNs(string region, string imageEnd, string arn)
    {
        var text = """{ "image": "app", "secrets": { "S": { "ssm": "/aws/reference/secretsmanager/a" } } }""";
        var app = Task(text, new AwsLocation(region, "123456789012")).Document["containerDefinitions"]![0]!;

        Assert.EndsWith(imageEnd, (string)app["image"]!, StringComparison.Ordinal);
        Assert.Equal(arn, (string)app["secrets"]![0]!["valueFrom"]!);
    }

    [Fact]
    public void Each_kind_of_secret_becomes_what_ECS_supports_with_remarks_on_the_rest()
    {
        var task = Task(ExportSamples.Complete, new AwsLocation(null, "123456789012"));
        var secrets = task.Document["containerDefinitions"]![0]!["secrets"]!.AsArray()
            .ToDictionary(secret => (string)secret!["name"]!, secret => (string)secret!["valueFrom"]!);
        var keysWithRemark = task.Remarks.SelectMany(remark => remark.Keys)
            .Where(key => key.StartsWith("secrets.", StringComparison.Ordinal) && !key.EndsWith(".delivery", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

        Assert.Equal(new Dictionary<string, string>
        {
            ["A_PLAIN"] = "/ragstream/A",
            ["A_VERSION"] = "/ragstream/A",
            ["AN_ARN"] = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/ragstream/B",
            ["A_FIELD"] = "/ragstream/all",
            ["A_SECRET"] = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:ragstream/openai-<suffix-of-A_SECRET>:key::",
            ["A_FILE"] = "<parameter-of-A_FILE>",
            ["A_CREDENTIAL"] = "<parameter-of-A_CREDENTIAL>",
        }, secrets);
        Assert.Equal(
            [
                "secrets.AN_ARN.ssm",
                "secrets.A_CREDENTIAL.credential",
                "secrets.A_CREDENTIAL.json",
                "secrets.A_FIELD.json",
                "secrets.A_FILE.file",
                "secrets.A_VERSION.ssm",
            ],
            keysWithRemark);
    }

    [Fact]
    public void A_secret_with_a_path_becomes_a_variable_with_a_remark()
    {
        var task = Task("""{ "image": "app", "secrets": { "A": { "ssm": "/a", "path": "/run/secrets/a" } } }""", Frankfurt);

        Assert.Equal("A", (string)Assert.Single(task.Document["containerDefinitions"]![0]!["secrets"]!.AsArray())!["name"]!);
        Assert.Contains(task.Remarks, remark => remark.Keys.Contains("secrets.A.path"));
    }

    [Fact]
    public void Volumes_become_unique_folders_of_one_EFS_file_system()
    {
        var task = Task(ExportSamples.Complete, fileSystem: "fs-1");

        var folders = task.Document["volumes"]!.AsArray()
            .Select(volume => (string?)volume!["efsVolumeConfiguration"]?["rootDirectory"])
            .OfType<string>();
        var mounts = task.Document["containerDefinitions"]![0]!["mountPoints"]!.AsArray()
            .Select(mount => $"{mount!["sourceVolume"]} {mount["containerPath"]} {(bool)mount["readOnly"]!}");
        Assert.Equal(["/logs", "/logs-2", "/models-v1"], folders);
        Assert.Equal(
            [
                "data-logs /app/data/logs False",
                "data-logs-2 /app/other True",
                "data-models-v1 /models False",
                "data-models-v1 /models-again False",
                "tmp /tmp False",
            ],
            mounts);
        Assert.Contains(task.Steps, step => step.Contains("/logs, /logs-2, /models-v1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_volume_mounted_on_tmp_replaces_the_temporary_folder()
    {
        var text = """{ "image": "app", "container": { "readOnlyRoot": true, "volumes": [ { "host": "/a", "container": "/tmp" } ] } }""";
        var app = Task(text).Document["containerDefinitions"]![0]!;

        Assert.Equal("/tmp", (string)Assert.Single(app["mountPoints"]!.AsArray())!["containerPath"]!);
        Assert.True((bool)app["readonlyRootFilesystem"]!);
    }

    [Theory]
    [InlineData("\"memory\": \"512m\", \"cpus\": 0.25", "256", "512", 512)]
    [InlineData("\"memory\": \"4g\", \"cpus\": 0.25", "512", "4096", 4096)]
    [InlineData("\"memory\": \"1500m\", \"cpus\": 0.5", "512", "2048", 1500)]
    [InlineData("\"memory\": \"4g\", \"cpus\": 1.5", "2048", "4096", 4096)]
    [InlineData("\"memory\": \"31g\", \"cpus\": 4", "8192", "32768", 31744)]
    [InlineData("\"memory\": \"500g\", \"cpus\": 100", "16384", "122880", 122880)]
    [InlineData("\"memory\": \"6m\", \"cpus\": 0.01", "256", "512", 6)]
    public void A_task_gets_the_smallest_Fargate_size_with_enough_CPU_and_memory(string limits, string cpu, string memory, int limit)
    {
        var task = Task($$"""{ "image": "app", "container": { {{limits}} } }""").Document;

        Assert.Equal((cpu, memory, limit), ((string)task["cpu"]!, (string)task["memory"]!, (int)task["containerDefinitions"]![0]!["memory"]!));
    }

    [Theory]
    [InlineData("\"memory\": \"200g\"", "no larger size")]
    [InlineData("\"memory\": \"4g\"", "sets no limit")]
    [InlineData("\"memory\": \"3500m\", \"cpus\": 1", "no closer size")]
    public void A_remark_explains_why_the_task_size_differs(string limits, string reason) =>
        Assert.Contains(
            Task($$"""{ "image": "app", "container": { {{limits}} } }""").Remarks,
            remark => remark.Keys.Contains("container.memory") && remark.Sentence.Contains(reason, StringComparison.Ordinal));

    [Theory]
    [InlineData("0s", 2)]
    [InlineData("20s", 20)]
    [InlineData("10m", 120)]
    public void The_stop_timeout_is_within_the_limits_of_Fargate(string timeout, int seconds)
    {
        var task = Task($$"""{ "image": "app", "container": { "stopTimeout": "{{timeout}}" } }""").Document;

        Assert.Equal(seconds, (int)task["containerDefinitions"]![0]!["stopTimeout"]!);
    }

    [Theory]
    [InlineData("start-first", "Value=30")]
    [InlineData("stop-first", "Value=5")]
    public void A_remark_gives_the_drain_time_for_either_swap_order(string swap, string value)
    {
        var config = ExportSamples.Read($$"""{ "image": "app", "update": { "swap": "{{swap}}" } }""");

        Assert.Contains(
            EcsTargetGroup.Create(config, "vpc-1").Remarks,
            remark => remark.Keys.Contains("update.drain") && remark.Sentence.EndsWith(value, StringComparison.Ordinal));
    }

    [Fact]
    public void Health_checks_of_the_target_group_match_the_liveness_probe_within_limits()
    {
        var same = EcsTargetGroup.Create(ExportSamples.Read(ExportSamples.Minimal), "vpc-1");
        var clamped = EcsTargetGroup.Create(ExportSamples.Read(ExportSamples.Complete), "vpc-1");

        Assert.Equal(("/_stcore/health", 15, 10, 4), HealthCheckOf(same.Document));
        Assert.Equal(("/healthz?deep=1", 5, 4, 10), HealthCheckOf(clamped.Document));
        Assert.DoesNotContain(same.Remarks, remark => remark.Keys[0].StartsWith("health.liveness", StringComparison.Ordinal));
        Assert.Equal(
            ["health.liveness.interval", "health.liveness.timeout", "health.liveness.failures"],
            clamped.Remarks.SelectMany(remark => remark.Keys).Where(key => key.StartsWith("health.liveness", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""{ "image": "app" }""", 100, 200)]
    [InlineData("""{ "image": "app", "update": { "swap": "stop-first" } }""", 0, 100)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b" } ] } }""", 0, 100)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b", "readOnly": true } ] } }""", 100, 200)]
    public void An_ECS_service_uses_the_swap_order_of_the_agent_and_rolls_back(string text, int min, int max)
    {
        var deployment = Service(text)["deploymentConfiguration"]!;

        Assert.Equal((min, max), ((int)deployment["minimumHealthyPercent"]!, (int)deployment["maximumPercent"]!));
        Assert.Equal("""{"enable":true,"rollback":true}""", deployment["deploymentCircuitBreaker"]!.ToJsonString());
    }

    [Fact]
    public void An_ECS_service_refers_to_its_task_and_allows_the_startup_deadline()
    {
        var task = Task(ExportSamples.Complete).Document;
        var service = Service(ExportSamples.Complete);
        var app = task["containerDefinitions"]![0]!;

        Assert.Equal((string)task["family"]!, (string)service["taskDefinition"]!);
        var target = service["loadBalancers"]![0]!;
        Assert.Equal((string)app["name"]!, (string)target["containerName"]!);
        Assert.Equal((int)app["portMappings"]![0]!["containerPort"]!, (int)target["containerPort"]!);
        Assert.Equal((90, 1), ((int)service["healthCheckGracePeriodSeconds"]!, (int)service["desiredCount"]!));
    }

    [Fact]
    public void Given_IDs_replace_the_placeholders_of_a_service()
    {
        var service = EcsService.Create(AssertAccepted(ExportSamples.Minimal), "rag", "arn:tg", ["subnet-1", "subnet-2"], ["sg-1"]);

        Assert.Empty(service.Placeholders);
        Assert.Equal(
            """{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"],"assignPublicIp":"ENABLED"}""",
            service.Document["networkConfiguration"]!["awsvpcConfiguration"]!.ToJsonString());
    }

    private static (string Path, int Interval, int Timeout, int Failures) HealthCheckOf(JsonObject group) => (
        (string)group["HealthCheckPath"]!,
        (int)group["HealthCheckIntervalSeconds"]!,
        (int)group["HealthCheckTimeoutSeconds"]!,
        (int)group["UnhealthyThresholdCount"]!);

    private static ExportResult Task(string text, AwsLocation? location = null, string? role = null, string? fileSystem = null) =>
        EcsTaskDefinition.Create(ExportSamples.Read(text), location ?? new AwsLocation(), role, fileSystem);

    private static JsonObject Service(string text) => EcsService.Create(ExportSamples.Read(text), null, null, [], []).Document;
}
