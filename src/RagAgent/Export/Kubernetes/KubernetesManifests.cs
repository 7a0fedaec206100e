using System.Globalization;
using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Kubernetes;

/// <summary>What <c>kubectl apply -f</c> takes: one list of a Deployment, its Service and, with volumes, a claim for the disk.</summary>
internal static class KubernetesManifests
{
    public const string PortName = "http";

    /// <summary>Of the claim; the configuration says nothing of a size.</summary>
    private const string DefaultStorage = "10Gi";

    public static ExportResult Create(AgentConfig config, AwsLocation location)
    {
        var notes = new ExportNotes();
        UnsupportedSettings.AddRemarks(config, ExportTarget.Kubernetes, notes);
        var name = ResourceNames.ForKubernetes(config.Container.Name);
        if (name != config.Container.Name)
        {
            notes.AddRemark("container.name", $"It is called {name}: Kubernetes takes small letters, digits and '-', a letter first.");
        }
        KubernetesSecrets.AddNotes(config, location, name, notes);
        var deployment = KubernetesDeployment.Create(config, location, name, notes);
        AddRemarks(config, name, notes);
        return notes.Build(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = JsonFormatter.ToArray(new JsonNode?[] { config.Container.Volumes.Count > 0 ? Claim(name) : null, deployment, Service(config, name) }.Where(item => item is not null)),
        });
    }

    /// <summary>A new one each time: a node of a document has one place.</summary>
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
            ["ports"] = new JsonArray(new JsonObject { ["name"] = PortName, ["port"] = config.Listen.Http, ["targetPort"] = PortName, ["protocol"] = "TCP" }),
        },
    };

    private static void AddRemarks(AgentConfig config, string name, ExportNotes notes)
    {
        var path = config.Listen.BasePath;
        notes.AddRemark(new Remark(["listen.http", "listen.basePath"], string.Create(CultureInfo.InvariantCulture,
            $"The Service is known inside the cluster only, on port {config.Listen.Http}. An Ingress{(path is null ? "" : $" for {path}")} that leads visitors to it is yours to make, for its class and its host are the cluster's; it must let a WebSocket be idle for longer than the app's pings are apart. To look at once: kubectl port-forward service/{name} 8080:{config.Listen.Http}")));
        if (config.Container.Volumes.Count > 0)
        {
            notes.AddRemark("container.volumes", $"All folders are on one disk, the claim {ClaimName(name)}, in {string.Join(", ", ResourceNames.FolderNames(config.Container.Volumes).Values)}. Set its size ({DefaultStorage}) before it is made: it can grow and not shrink. The data has to be copied to it while the app is stopped.{(config.Update.StartsFirst(config.Container) ? " Two pods have it on one node alone: where the second waits for it, let update.swap be stop-first." : "")}");
        }
    }
}
