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

/// <summary>Parses exported manifests with types generated from the Kubernetes API, which reject unknown members and wrong types.</summary>
public sealed class KubernetesTests
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    [Theory]
    [InlineData(ExportSamples.Minimal)]
    [InlineData(ExportSamples.Complete)]
    [InlineData("""{ "image": "app", "container": { "readOnlyRoot": true, "user": "app", "stopTimeout": "0s" }, "update": { "drain": "0s" } }""")]
    public void Exported_manifests_conform_to_the_Kubernetes_API(string text)
    {
        var manifests = Manifests.Of(text);

        Assert.Equal(("apps/v1", "Deployment"), (manifests.Deployment.ApiVersion, manifests.Deployment.Kind));
        Assert.Equal(("v1", "Service"), (manifests.Service.ApiVersion, manifests.Service.Kind));
        Assert.Equal(manifests.Deployment.Spec.Selector.MatchLabels, manifests.Deployment.Spec.Template.Metadata.Labels);
        Assert.Equal(manifests.Service.Spec.Selector, manifests.Deployment.Spec.Template.Metadata.Labels);
        Assert.Equal(manifests.Service.Spec.Ports.Single().TargetPort.Value, manifests.App.Ports.Single().Name);
        V1Probe[] probes = [manifests.App.StartupProbe, manifests.App.LivenessProbe, manifests.App.ReadinessProbe];
        Assert.All(probes, probe => Assert.Equal(manifests.App.Ports.Single().Name, probe.HttpGet.Port.Value));
        Assert.Equal(
            (manifests.App.VolumeMounts ?? []).Select(mount => mount.Name).Distinct().Order(),
            (manifests.Pod.Volumes ?? []).Select(volume => volume.Name).Order());
    }

    [Fact]
    public void The_exported_sample_conforms_to_the_Kubernetes_API() =>
        Assert.NotNull(Manifests.Of(RepositoryFiles.Read("packaging/ragagent.json")).Claim);

    [Theory]
    [InlineData("\"replicas\": 1", "\"replicas\": \"1\"")]
    [InlineData("\"replicas\"", "\"replica\"")]
    [InlineData("\"failureThreshold\"", "\"failureThresholds\"")]
    [InlineData("\"periodSeconds\": 5", "\"periodSeconds\": \"5s\"")]
    public void The_strict_parser_rejects_wrong_manifests(string right, string wrong)
    {
        var text = JsonFormatter.Format(KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Minimal), new AwsLocation()).Document);
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.ThrowsAny<JsonException>(() => Manifests.Parse(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""{ "image": "app" }""", "RollingUpdate", 50, 30L)]
    [InlineData("""{ "image": "app", "update": { "swap": "stop-first" } }""", "Recreate", 20, null)]
    [InlineData("""{ "image": "app", "container": { "volumes": [ { "host": "/a", "container": "/b" } ] } }""", "Recreate", 20, null)]
    public void A_pod_is_replaced_in_the_swap_order_of_the_agent_with_its_timeouts(string text, string strategy, int grace, long? drain)
    {
        var manifests = Manifests.Of(text);

        Assert.Equal((strategy, grace), (manifests.Deployment.Spec.Strategy.Type, (int)manifests.Pod.TerminationGracePeriodSeconds!));
        Assert.Equal(drain, manifests.App.Lifecycle?.PreStop.Sleep.Seconds);
        Assert.Equal(strategy == "RollingUpdate" ? "0" : null, manifests.Deployment.Spec.Strategy.RollingUpdate?.MaxUnavailable.Value);
    }

    [Fact]
    public void Probes_of_the_pod_match_those_of_the_agent_including_the_startup_deadline()
    {
        var app = Manifests.Of(ExportSamples.Minimal).App;

        // 120 times 5 s is the deadline of ten minutes, whether the app refuses connections or hangs.
        Assert.Equal(("/_stcore/health", 5, 5, 120), ValuesOf(app.StartupProbe));
        Assert.Equal(("/_stcore/health", 15, 10, 4), ValuesOf(app.LivenessProbe));
        Assert.Equal(("/_stcore/health", 15, 10, 4), ValuesOf(app.ReadinessProbe));
    }

    [Fact]
    public void Times_that_Kubernetes_does_not_support_are_rounded_up_with_one_remark()
    {
        var exported = KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Complete), new AwsLocation());
        var app = Manifests.Of(ExportSamples.Complete).App;

        Assert.Equal(("/rag/_stcore/health", 2, 2, 45), ValuesOf(app.StartupProbe));
        Assert.Equal(("/healthz?deep=1", 3, 10, 20), ValuesOf(app.LivenessProbe));
        var keys = exported.Remarks.SelectMany(remark => remark.Keys)
            .Where(key => key.StartsWith("health.", StringComparison.Ordinal) && key != "health.gate");
        Assert.Equal(["health.startup.interval", "health.startup.timeout"], keys.Distinct().Order());
    }

    [Fact]
    public void The_pod_has_no_more_privileges_than_the_agents_container()
    {
        var manifests = Manifests.Of(ExportSamples.Complete);

        var (container, pod) = (manifests.App.SecurityContext, manifests.Pod);
        Assert.Equal((false, true), (container.AllowPrivilegeEscalation, container.ReadOnlyRootFilesystem));
        Assert.Equal((1001L, 1002L), (container.RunAsUser, container.RunAsGroup));
        Assert.Equal((1002L, false, false), (pod.SecurityContext.FsGroup, pod.AutomountServiceAccountToken, pod.EnableServiceLinks));
        Assert.Equal(("500m", "1500Mi"), (manifests.App.Resources.Limits["cpu"].ToString(), manifests.App.Resources.Limits["memory"].ToString()));
    }

    [Fact]
    public void A_named_user_is_left_to_the_image_with_a_remark()
    {
        var text = """{ "image": "app", "container": { "user": "app" } }""";

        Assert.Null(Manifests.Of(text).App.SecurityContext.RunAsUser);
        var remarks = KubernetesManifests.Create(ExportSamples.Read(text), new AwsLocation()).Remarks;
        Assert.Contains(remarks, remark => remark.Keys.Contains("container.user"));
    }

    [Fact]
    public void All_volumes_share_one_claim_in_separate_folders()
    {
        var manifests = Manifests.Of(ExportSamples.Complete);

        Assert.Equal("rag-stream-1-data", manifests.Claim!.Metadata.Name);
        Assert.Equal(["ReadWriteOnce"], manifests.Claim.Spec.AccessModes);
        Assert.Equal(["logs /app/data/logs", "logs-2 /app/other ro", "models-v1 /models", "models-v1 /models-again", " /tmp"],
            manifests.App.VolumeMounts.Select(mount => $"{mount.SubPath} {mount.MountPath}{(mount.ReadOnlyProperty == true ? " ro" : "")}"));
        Assert.Equal(manifests.Claim.Metadata.Name, manifests.Pod.Volumes[0].PersistentVolumeClaim.ClaimName);
        Assert.Null(Manifests.Of(ExportSamples.Minimal).Claim);
    }

    [Fact]
    public void A_secret_with_a_path_becomes_a_file()
    {
        var text = """{ "image": "app", "secrets": { "A": "/a", "B": { "ssm": "/b", "path": "/run/secrets/b.pem" } } }""";
        var manifests = Manifests.Of(text);

        Assert.Equal(["A"], manifests.App.Env.Select(variable => variable.Name));
        var mount = Assert.Single(manifests.App.VolumeMounts);
        var volume = Assert.Single(manifests.Pod.Volumes);
        var item = Assert.Single(volume.Secret.Items);
        Assert.Equal((volume.Name, "/run/secrets", true), (mount.Name, mount.MountPath, mount.ReadOnlyProperty));
        Assert.Equal(("ragstream-secrets", "B", "b.pem"), (volume.Secret.SecretName, item.Key, item.Path));
    }

    [Fact]
    public void The_secret_is_referenced_by_key_and_created_by_a_command_without_values()
    {
        var step = KubernetesManifests.Create(ExportSamples.Read(ExportSamples.Complete), new AwsLocation()).Steps[0];
        var variables = Manifests.Of(ExportSamples.Complete).App.Env.Where(variable => variable.ValueFrom is not null).ToArray();

        Assert.Equal(7, variables.Length);
        Assert.All(variables, variable =>
        {
            var reference = variable.ValueFrom.SecretKeyRef;
            Assert.Equal(("rag-stream-1-secrets", variable.Name), (reference.Name, reference.Key));
        });
        Assert.Contains("kubectl create secret generic rag-stream-1-secrets", step, StringComparison.Ordinal);
        Assert.Contains(
            """A_VERSION="$(aws ssm get-parameter --region cn-north-1 --name /ragstream/A:3 """
            + """--with-decryption --query Parameter.Value --output text)" && \""",
            step,
            StringComparison.Ordinal);
        Assert.Contains("""A_FILE="$(sudo cat '/run/secrets/open ai')" && \""", step, StringComparison.Ordinal);
        Assert.Contains("""| jq -r --arg field 'it'\''s' '.[$field]')" && \""", step, StringComparison.Ordinal);
        Assert.Contains("""--from-file=A_FILE=<(printf %s "$A_FILE")""", step, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pa$$word", "pa$$$$word")]
    [InlineData("$$(KEY)", "$$$$(KEY)")]
    [InlineData("1 $", "1 $$")]
    public void Dollar_signs_are_escaped_for_Kubernetes(string value, string exported) =>
        Assert.Equal(exported, Manifests.Of($$"""{ "image": "app", "environment": { "PRICE": "{{value}}" } }""").App.Env.Single().Value);

    [Fact]
    public void Plain_variables_are_protected_from_expansion_by_Kubernetes() =>
        Assert.Equal("$$(HF_HOME) \"<é>\"", Manifests.Of(ExportSamples.Complete).App.Env.Single(variable => variable.Name == "TEMPLATE").Value);

    [Theory]
    [InlineData("Rag.stream_1", "rag-stream-1")]
    [InlineData("7up", "app-7up")]
    [InlineData("a.", "a")]
    [InlineData("ab-____", "ab")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789", "app-0123456789012345678901234567890123456789012345")]
    public void Container_names_become_valid_Service_names(string name, string expected) =>
        Assert.Equal(expected, ResourceNames.ForKubernetes(name));

    private static (string Path, int? Period, int? Timeout, int? Failures) ValuesOf(V1Probe probe) =>
        (probe.HttpGet.Path, probe.PeriodSeconds, probe.TimeoutSeconds, probe.FailureThreshold);

    private sealed record Manifests(V1Deployment Deployment, V1Service Service, V1PersistentVolumeClaim? Claim)
    {
        public V1PodSpec Pod => Deployment.Spec.Template.Spec;

        public V1Container App => Pod.Containers.Single();

        public static Manifests Of(string text)
        {
            var exported = KubernetesManifests.Create(ExportSamples.Read(text), new AwsLocation());
            return Parse(JsonFormatter.Format(exported.Document));
        }

        public static Manifests Parse(string text)
        {
            using var list = JsonDocument.Parse(text);
            Assert.Equal(["apiVersion", "kind", "items"], list.RootElement.EnumerateObject().Select(member => member.Name));
            Assert.Equal("v1", list.RootElement.GetProperty("apiVersion").GetString());
            Assert.Equal("List", list.RootElement.GetProperty("kind").GetString());
            var items = list.RootElement.GetProperty("items").EnumerateArray().ToDictionary(item => item.GetProperty("kind").GetString()!);
            Assert.Empty(items.Keys.Except(["Deployment", "Service", "PersistentVolumeClaim"]));
            var hasClaim = items.TryGetValue("PersistentVolumeClaim", out var claim);
            return new Manifests(
                Read<V1Deployment>(items["Deployment"]),
                Read<V1Service>(items["Service"]),
                hasClaim ? Read<V1PersistentVolumeClaim>(claim) : null);
        }

        private static T Read<T>(JsonElement item) => KubernetesJson.Deserialize<T>(item, Strict);
    }
}
