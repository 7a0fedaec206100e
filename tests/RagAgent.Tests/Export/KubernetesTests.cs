using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using RagAgent.Export;
using RagAgent.Export.Kubernetes;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Export;

/// <summary>A configuration as Kubernetes has it: read back by the types that are made of its published API description, which refuse a member or a kind of value that they do not know.</summary>
public sealed class KubernetesTests
{
    private static readonly JsonSerializerOptions Strict = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    [Theory]
    [InlineData(ExportSamples.Minimal)]
    [InlineData(ExportSamples.Complete)]
    [InlineData("""{ "image": "app", "container": { "readOnlyRoot": true, "user": "app", "stopTimeout": "0s" }, "update": { "drain": "0s" } }""")]
    public void What_is_exported_is_what_the_API_describes(string text)
    {
        var read = Manifests.Of(text);

        Assert.Equal(("apps/v1", "Deployment"), (read.Deployment.ApiVersion, read.Deployment.Kind));
        Assert.Equal(("v1", "Service"), (read.Service.ApiVersion, read.Service.Kind));
        Assert.Equal(read.Deployment.Spec.Selector.MatchLabels, read.Deployment.Spec.Template.Metadata.Labels);
        Assert.Equal(read.Service.Spec.Selector, read.Deployment.Spec.Template.Metadata.Labels);
        Assert.Equal(read.Service.Spec.Ports.Single().TargetPort.Value, read.App.Ports.Single().Name);
        Assert.All(new[] { read.App.StartupProbe, read.App.LivenessProbe, read.App.ReadinessProbe }, probe => Assert.Equal(read.App.Ports.Single().Name, probe.HttpGet.Port.Value));
        Assert.Equal((read.App.VolumeMounts ?? []).Select(mount => mount.Name).Distinct().Order(), (read.Pod.Volumes ?? []).Select(volume => volume.Name).Order());
    }

    [Fact]
    public void The_sample_is_what_the_API_describes() => Assert.NotNull(Manifests.Of(RepositoryFiles.Read("packaging/ragagent.json")).Claim);

    [Theory]
    [InlineData("\"replicas\": 1", "\"replicas\": \"1\"")]
    [InlineData("\"replicas\"", "\"replica\"")]
    [InlineData("\"failureThreshold\"", "\"failureThresholds\"")]
    [InlineData("\"periodSeconds\": 5", "\"periodSeconds\": \"5s\"")]
    public void A_member_that_is_wrong_would_be_noticed(string right, string wrong)
    {
        var text = JsonFormatter.Format(KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Minimal), new AwsLocation()).Document);
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.ThrowsAny<JsonException>(() => Manifests.Parse(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""{ "image": "app" }""", "RollingUpdate", 50, 30L)]
    [InlineData("""{ "image": "app", "update": { "swap": "stop-first" } }""", "Recreate", 20, null)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b" } ] } }""", "Recreate", 20, null)]
    public void A_pod_is_exchanged_in_the_order_of_the_agent_with_its_times(string text, string strategy, int grace, long? drain)
    {
        var read = Manifests.Of(text);

        Assert.Equal((strategy, grace), (read.Deployment.Spec.Strategy.Type, (int)read.Pod.TerminationGracePeriodSeconds!));
        Assert.Equal(drain, read.App.Lifecycle?.PreStop.Sleep.Seconds);
        Assert.Equal(strategy == "RollingUpdate" ? "0" : null, read.Deployment.Spec.Strategy.RollingUpdate?.MaxUnavailable.Value);
    }

    // 120 times 5 s: the deadline of ten minutes, whether the app refuses or hangs.
    [Fact]
    public void It_is_asked_as_the_agent_asks_and_a_start_has_its_deadline()
    {
        var app = Manifests.Of(ExportSamples.Minimal).App;

        Assert.Equal(("/_stcore/health", 5, 5, 120), Asked(app.StartupProbe));
        Assert.Equal(("/_stcore/health", 15, 10, 4), Asked(app.LivenessProbe));
        Assert.Equal(("/_stcore/health", 15, 10, 4), Asked(app.ReadinessProbe));
    }

    [Fact]
    public void Figures_that_Kubernetes_does_not_take_are_rounded_up_and_told_once()
    {
        var exported = KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Complete), new AwsLocation());
        var app = Manifests.Of(ExportSamples.Complete).App;

        Assert.Equal(("/rag/_stcore/health", 2, 2, 45), Asked(app.StartupProbe));
        Assert.Equal(("/healthz?deep=1", 3, 10, 20), Asked(app.LivenessProbe));
        Assert.Equal(["health.startup.interval", "health.startup.timeout"], exported.Remarks.SelectMany(remark => remark.Keys).Where(key => key.StartsWith("health.", StringComparison.Ordinal) && key != "health.gate").Distinct().Order());
    }

    [Fact]
    public void The_pod_may_no_more_than_the_container_of_the_agent()
    {
        var read = Manifests.Of(ExportSamples.Complete);

        Assert.Equal((false, true, 1001L, 1002L), (read.App.SecurityContext.AllowPrivilegeEscalation, read.App.SecurityContext.ReadOnlyRootFilesystem, read.App.SecurityContext.RunAsUser, read.App.SecurityContext.RunAsGroup));
        Assert.Equal((1002L, false, false), (read.Pod.SecurityContext.FsGroup, read.Pod.AutomountServiceAccountToken, read.Pod.EnableServiceLinks));
        Assert.Equal(("500m", "1500Mi"), (read.App.Resources.Limits["cpu"].ToString(), read.App.Resources.Limits["memory"].ToString()));
    }

    [Fact]
    public void A_user_by_name_is_left_to_the_image_and_told()
    {
        var text = """{ "image": "app", "container": { "user": "app" } }""";

        Assert.Null(Manifests.Of(text).App.SecurityContext.RunAsUser);
        Assert.Contains(KubernetesManifests.Create(ExportSamples.Read(text), new AwsLocation()).Remarks, remark => remark.Keys.Contains("container.user"));
    }

    [Fact]
    public void All_folders_are_on_one_claim_each_in_its_own()
    {
        var read = Manifests.Of(ExportSamples.Complete);

        Assert.Equal("rag-stream-1-data", read.Claim!.Metadata.Name);
        Assert.Equal(["ReadWriteOnce"], read.Claim.Spec.AccessModes);
        Assert.Equal(["logs /app/data/logs", "logs-2 /app/other ro", "models-v1 /models", "models-v1 /models-again", " /tmp"],
            read.App.VolumeMounts.Select(mount => $"{mount.SubPath} {mount.MountPath}{(mount.ReadOnlyProperty == true ? " ro" : "")}"));
        Assert.Equal(read.Claim.Metadata.Name, read.Pod.Volumes[0].PersistentVolumeClaim.ClaimName);
        Assert.Null(Manifests.Of(ExportSamples.Minimal).Claim);
    }

    [Fact]
    public void The_secret_is_named_key_by_key_and_made_by_a_command_that_shows_no_value()
    {
        var step = KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Complete), new AwsLocation()).Steps[0];
        var from = Manifests.Of(ExportSamples.Complete).App.Env.Where(variable => variable.ValueFrom is not null).Select(variable => (variable.Name, variable.ValueFrom.SecretKeyRef.Name, variable.ValueFrom.SecretKeyRef.Key)).ToArray();

        Assert.Equal(7, from.Length);
        Assert.All(from, one => Assert.Equal((one.Item1, "rag-stream-1-secrets", one.Item1), one));
        Assert.Contains("kubectl create secret generic rag-stream-1-secrets", step, StringComparison.Ordinal);
        Assert.Contains("""A_VERSION="$(aws ssm get-parameter --region cn-north-1 --name /ragstream/A:3 --with-decryption --query Parameter.Value --output text)" && \""", step, StringComparison.Ordinal);
        Assert.Contains("""A_FILE="$(sudo cat '/run/secrets/open ai')" && \""", step, StringComparison.Ordinal);
        Assert.Contains("""| jq -r --arg field 'it'\''s' '.[$field]')" && \""", step, StringComparison.Ordinal);
        Assert.Contains("""--from-file=A_FILE=<(printf %s "$A_FILE")""", step, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pa$$word", "pa$$$$word")]
    [InlineData("$$(KEY)", "$$$$(KEY)")]
    [InlineData("1 $", "1 $$")]
    public void A_dollar_is_one_after_Kubernetes_has_read_it(string value, string exported) =>
        Assert.Equal(exported, Manifests.Of($$"""{ "image": "app", "environment": { "PRICE": "{{value}}" } }""").App.Env.Single().Value);

    [Fact]
    public void Plain_variables_are_the_same_letter_by_letter_also_where_Kubernetes_would_put_in_another() =>
        Assert.Equal("$$(HF_HOME) \"<é>\"", Manifests.Of(ExportSamples.Complete).App.Env.Single(variable => variable.Name == "TEMPLATE").Value);

    [Theory]
    [InlineData("Rag.stream_1", "rag-stream-1")]
    [InlineData("7up", "app-7up")]
    [InlineData("a.", "a")]
    [InlineData("ab-____", "ab")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789", "app-0123456789012345678901234567890123456789012345")]
    public void A_name_becomes_one_that_a_Service_may_have(string name, string expected) => Assert.Equal(expected, ResourceNames.ForKubernetes(name));

    private static (string, int?, int?, int?) Asked(V1Probe probe) => (probe.HttpGet.Path, probe.PeriodSeconds, probe.TimeoutSeconds, probe.FailureThreshold);

    private sealed record Manifests(V1Deployment Deployment, V1Service Service, V1PersistentVolumeClaim? Claim)
    {
        public V1PodSpec Pod => Deployment.Spec.Template.Spec;

        public V1Container App => Pod.Containers.Single();

        public static Manifests Of(string text) => Parse(JsonFormatter.Format(KubernetesManifests.Create(ExportSamples.Read(text), new AwsLocation()).Document));

        public static Manifests Parse(string text)
        {
            using var list = JsonDocument.Parse(text);
            Assert.Equal(["apiVersion", "kind", "items"], list.RootElement.EnumerateObject().Select(member => member.Name));
            Assert.Equal(("v1", "List"), (list.RootElement.GetProperty("apiVersion").GetString(), list.RootElement.GetProperty("kind").GetString()));
            var items = list.RootElement.GetProperty("items").EnumerateArray().ToDictionary(item => item.GetProperty("kind").GetString()!);
            Assert.Empty(items.Keys.Except(["Deployment", "Service", "PersistentVolumeClaim"]));
            return new Manifests(Read<V1Deployment>(items["Deployment"]), Read<V1Service>(items["Service"]), items.TryGetValue("PersistentVolumeClaim", out var claim) ? Read<V1PersistentVolumeClaim>(claim) : null);
        }

        private static T Read<T>(JsonElement item) => KubernetesJson.Deserialize<T>(item, Strict);
    }
}
