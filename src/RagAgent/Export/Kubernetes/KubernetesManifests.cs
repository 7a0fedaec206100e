using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Kubernetes;

/// <summary>The input of <c>kubectl apply -f</c>: a list of a Deployment, its Service and, with volumes, a claim for the disk.</summary>
internal static class KubernetesManifests
{
    public const string PortName = "http";

    /// <summary>The size of the claim, which the configuration doesn't know.</summary>
    private const string DefaultStorage = "10Gi";

    public static ExportResult Create(AgentConfig config, AwsLocation location)
    {
        var notes = new ExportNotes();
        UnsupportedSettings.AddRemarks(config, ExportTarget.Kubernetes, notes);
        var name = ResourceNames.ForKubernetes(config.Container.Name);
        if (name != config.Container.Name)
        {
            notes.AddRemark("container.name", $"It is named {name}: Kubernetes allows lower-case letters, digits and '-', a letter first.");
        }
        KubernetesSecrets.AddNotes(config, location, name, notes);
        var deployment = KubernetesDeployment.Create(config, location, name, notes);
        AddRemarks(config, name, notes);
        return notes.Build(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = config.Container.Volumes.Count > 0
                ? new JsonArray(Claim(name), deployment, Service(config, name))
                : new JsonArray(deployment, Service(config, name)),
        });
    }

    /// <summary>A new object each time, because a JSON node can have only one parent.</summary>
    public static JsonObject Labels(string name) => new() { ["app.kubernetes.io/name"] = name };

    public static string ClaimName(string name) => $"{name}-data";

    private static JsonObject Claim(string name) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "PersistentVolumeClaim",
        ["metadata"] = new JsonObject { ["name"] = ClaimName(name), ["labels"] = Labels(name) },
        ["spec"] = new JsonObject
        {
            ["accessModes"] = new JsonArray("ReadWriteOnce"),
            ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = DefaultStorage } },
        },
    };

    private static JsonObject Service(AgentConfig config, string name) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = Labels(name) },
        ["spec"] = new JsonObject
        {
            ["selector"] = Labels(name),
            ["ports"] = new JsonArray(new JsonObject
            {
                ["name"] = PortName,
                ["port"] = config.Listen.Http,
                ["targetPort"] = PortName,
                ["protocol"] = "TCP",
            }),
        },
    };

    private static void AddRemarks(AgentConfig config, string name, ExportNotes notes)
    {
        var path = config.Listen.BasePath;
        notes.AddRemark(new Remark(
            ["listen.http", "listen.basePath"],
            $"The Service can be reached only inside the cluster, on port {config.Listen.Http}. "
            + $"Create an Ingress{(path is null ? "" : $" for {path}")} yourself, because its class and host depend on the cluster. "
            + "Its idle timeout for WebSockets must be longer than the interval of the app's pings. "
            + $"To try it now: kubectl port-forward service/{name} 8080:{config.Listen.Http}"));
        if (config.Container.Volumes.Count > 0)
        {
            var folders = string.Join(", ", ResourceNames.FolderNames(config.Container.Volumes).Values);
            var sharing = config.Update.StartsFirst(config.Container)
                ? " Two pods can share it only on the same node: if the second one waits for it, set update.swap to stop-first."
                : "";
            notes.AddRemark(
                "container.volumes",
                $"All folders are on one disk, the claim {ClaimName(name)}, in {folders}. "
                + $"Set its size ({DefaultStorage}) before you create it: it can grow but not shrink. Copy the data to it while the app is stopped.{sharing}");
        }
    }
}
