using System.Text.Json.Nodes;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Export;

/// <summary>A configuration as ECS has it.</summary>
public sealed class EcsTests
{
    private static readonly AwsLocation Frankfurt = new("eu-central-1", "123456789012");

    [Fact]
    public void The_smallest_configuration_is_one_container_with_its_secret_by_name()
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
    public void What_the_file_does_not_say_is_a_mark_that_is_told_with_its_option()
    {
        var task = Task(ExportSamples.Minimal);
        var marks = task.Placeholders.ToDictionary(blank => blank.Text, blank => blank.Option);

        Assert.Equal(new Dictionary<string, string?> { ["<region>"] = "--region", ["<account>"] = "--account", ["<execution-role>"] = "--execution-role" }, marks);
        Assert.All(marks.Keys, mark => Assert.Contains(mark, JsonFormatter.Format(task.Document), StringComparison.Ordinal));
        Assert.Empty(Task(ExportSamples.Minimal, Frankfurt, "arn:aws:iam::123456789012:role/x").Placeholders);
    }

    [Theory]
    [InlineData("\"app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false)]
    [InlineData("\"registry.example.com:5000/team/app\"", "registry.example.com:5000/team/app:latest", true)]
    [InlineData("\"app:stable\"", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:stable", true)]
    public void An_image_has_its_registry_and_a_tag_is_told_to_be_less_than_a_digest(string image, string expected, bool isTold)
    {
        var task = Task($$"""{ "image": {{image}} }""", Frankfurt);

        Assert.Equal(expected, (string)task.Document["containerDefinitions"]![0]!["image"]!);
        Assert.Equal(isTold, task.Remarks.Any(remark => remark.Keys.Contains("image") && remark.Sentence.Contains("digest", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("cn-north-1", ".cn/app:latest", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-<suffix-of-S>")]
    [InlineData("us-gov-west-1", ".amazonaws.com/app:latest", "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-<suffix-of-S>")]
    public void A_region_of_another_partition_has_its_own_names(string region, string imageEnd, string arn)
    {
        var app = Task("""{ "image": "app", "secrets": { "S": { "ssm": "/aws/reference/secretsmanager/a" } } }""", new AwsLocation(region, "123456789012")).Document["containerDefinitions"]![0]!;

        Assert.EndsWith(imageEnd, (string)app["image"]!, StringComparison.Ordinal);
        Assert.Equal(arn, (string)app["secrets"]![0]!["valueFrom"]!);
    }

    [Fact]
    public void Each_kind_of_secret_is_what_ECS_can_read_and_what_it_can_not_is_told()
    {
        var task = Task(ExportSamples.Complete, new AwsLocation(null, "123456789012"));
        var secrets = task.Document["containerDefinitions"]![0]!["secrets"]!.AsArray().ToDictionary(secret => (string)secret!["name"]!, secret => (string)secret!["valueFrom"]!);
        var told = task.Remarks.SelectMany(remark => remark.Keys).Where(key => key.StartsWith("secrets.", StringComparison.Ordinal) && !key.EndsWith(".delivery", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

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
        Assert.Equal(["secrets.AN_ARN.ssm", "secrets.A_CREDENTIAL.credential", "secrets.A_CREDENTIAL.json", "secrets.A_FIELD.json", "secrets.A_FILE.file", "secrets.A_VERSION.ssm"], told);
    }

    [Fact]
    public void Volumes_are_folders_of_one_file_system_each_place_once()
    {
        var task = Task(ExportSamples.Complete, fileSystem: "fs-1");

        Assert.Equal(["/logs", "/logs-2", "/models-v1"], task.Document["volumes"]!.AsArray().Select(volume => (string?)volume!["efsVolumeConfiguration"]?["rootDirectory"]).OfType<string>());
        Assert.Equal(["data-logs /app/data/logs False", "data-logs-2 /app/other True", "data-models-v1 /models False", "data-models-v1 /models-again False", "tmp /tmp False"],
            task.Document["containerDefinitions"]![0]!["mountPoints"]!.AsArray().Select(mount => $"{mount!["sourceVolume"]} {mount["containerPath"]} {(bool)mount["readOnly"]!}"));
        Assert.Contains(task.Steps, step => step.Contains("/logs, /logs-2, /models-v1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_volume_that_is_mounted_on_the_temporary_folder_is_the_only_one_there()
    {
        var app = Task("""{ "image": "app", "container": { "readOnlyRoot": true, "volumes": [ { "host": "/a", "container": "/tmp" } ] } }""").Document["containerDefinitions"]![0]!;

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
    public void A_task_has_the_smallest_size_that_there_is_with_both(string limits, string cpu, string memory, int limit)
    {
        var task = Task($$"""{ "image": "app", "container": { {{limits}} } }""").Document;

        Assert.Equal((cpu, memory, limit), ((string)task["cpu"]!, (string)task["memory"]!, (int)task["containerDefinitions"]![0]!["memory"]!));
    }

    [Theory]
    [InlineData("\"memory\": \"200g\"", "no larger size")]
    [InlineData("\"memory\": \"4g\"", "sets no limit")]
    [InlineData("\"memory\": \"3500m\", \"cpus\": 1", "no closer size")]
    public void Why_the_size_is_another_one_is_told(string limits, string reason) => Assert.Contains(
        Task($$"""{ "image": "app", "container": { {{limits}} } }""").Remarks, remark => remark.Keys.Contains("container.memory") && remark.Sentence.Contains(reason, StringComparison.Ordinal));

    [Theory]
    [InlineData("0s", 2)]
    [InlineData("20s", 20)]
    [InlineData("10m", 120)]
    public void A_stop_has_the_time_that_Fargate_takes(string timeout, int seconds) =>
        Assert.Equal(seconds, (int)Task($$"""{ "image": "app", "container": { "stopTimeout": "{{timeout}}" } }""").Document["containerDefinitions"]![0]!["stopTimeout"]!);

    [Theory]
    [InlineData("start-first", "Value=30")]
    [InlineData("stop-first", "Value=5")]
    public void How_long_a_task_is_drained_is_told_for_either_order(string swap, string value) => Assert.Contains(
        EcsTargetGroup.Create(ExportSamples.Read($$"""{ "image": "app", "update": { "swap": "{{swap}}" } }"""), "vpc-1").Remarks, remark => remark.Keys.Contains("update.drain") && remark.Sentence.EndsWith(value, StringComparison.Ordinal));

    [Fact]
    public void The_load_balancer_asks_as_the_agent_does_within_its_bounds_and_what_is_not_the_same_is_told()
    {
        var same = EcsTargetGroup.Create(ExportSamples.Read(ExportSamples.Minimal), "vpc-1");
        var bounded = EcsTargetGroup.Create(ExportSamples.Read(ExportSamples.Complete), "vpc-1");

        Assert.Equal(("/_stcore/health", 15, 10, 4), Asked(same.Document));
        Assert.Equal(("/healthz?deep=1", 5, 4, 10), Asked(bounded.Document));
        Assert.DoesNotContain(same.Remarks, remark => remark.Keys[0].StartsWith("health.liveness", StringComparison.Ordinal));
        Assert.Equal(["health.liveness.interval", "health.liveness.timeout", "health.liveness.failures"], bounded.Remarks.SelectMany(remark => remark.Keys).Where(key => key.StartsWith("health.liveness", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""{ "image": "app" }""", 100, 200)]
    [InlineData("""{ "image": "app", "update": { "swap": "stop-first" } }""", 0, 100)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b" } ] } }""", 0, 100)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b", "readOnly": true } ] } }""", 100, 200)]
    public void A_service_exchanges_its_task_in_the_order_of_the_agent_and_goes_back(string text, int least, int most)
    {
        var deployment = Service(text)["deploymentConfiguration"]!;

        Assert.Equal((least, most), ((int)deployment["minimumHealthyPercent"]!, (int)deployment["maximumPercent"]!));
        Assert.Equal("""{"enable":true,"rollback":true}""", deployment["deploymentCircuitBreaker"]!.ToJsonString());
    }

    [Fact]
    public void A_service_names_the_container_and_port_of_its_task_and_gives_it_the_time_of_the_deadline()
    {
        var task = Task(ExportSamples.Complete).Document;
        var service = Service(ExportSamples.Complete);
        var app = task["containerDefinitions"]![0]!;

        Assert.Equal((string)task["family"]!, (string)service["taskDefinition"]!);
        Assert.Equal(((string)app["name"]!, (int)app["portMappings"]![0]!["containerPort"]!), ((string)service["loadBalancers"]![0]!["containerName"]!, (int)service["loadBalancers"]![0]!["containerPort"]!));
        Assert.Equal((90, 1), ((int)service["healthCheckGracePeriodSeconds"]!, (int)service["desiredCount"]!));
    }

    [Fact]
    public void Given_ids_stand_where_the_marks_would()
    {
        var given = EcsService.Create(AssertAccepted(ExportSamples.Minimal), "rag", "arn:tg", ["subnet-1", "subnet-2"], ["sg-1"]);

        Assert.Empty(given.Placeholders);
        Assert.Equal("""{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"],"assignPublicIp":"ENABLED"}""", given.Document["networkConfiguration"]!["awsvpcConfiguration"]!.ToJsonString());
    }

    private static (string, int, int, int) Asked(JsonObject group) =>
        ((string)group["HealthCheckPath"]!, (int)group["HealthCheckIntervalSeconds"]!, (int)group["HealthCheckTimeoutSeconds"]!, (int)group["UnhealthyThresholdCount"]!);

    private static ExportResult Task(string text, AwsLocation? place = null, string? role = null, string? fileSystem = null) =>
        EcsTaskDefinition.Create(ExportSamples.Read(text), place ?? new AwsLocation(), role, fileSystem);

    private static JsonObject Service(string text) => EcsService.Create(ExportSamples.Read(text), null, null, [], []).Document;
}
