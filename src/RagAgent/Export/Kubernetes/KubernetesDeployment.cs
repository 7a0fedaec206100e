using System.Globalization;
using System.Text.Json.Nodes;
using RagAgent.Configuration;
using RagAgent.Containers;

namespace RagAgent.Export.Kubernetes;

/// <summary>The Deployment: one pod, probed and replaced as the agent would do it.</summary>
internal static class KubernetesDeployment
{
    /// <summary>The progress deadline of a rollout includes the pull.</summary>
    private static readonly TimeSpan PullAllowance = TimeSpan.FromMinutes(10);

    private const string DataVolume = "data";
    private const string SecretsVolume = "secrets";
    private const string LimitSubject = "Kubernetes accepts";
    private const int NoLimit = int.MaxValue;

    public static JsonObject Create(AgentConfig config, AwsLocation location, string name, ExportNotes notes)
    {
        var startsFirst = config.Update.StartsFirst(config.Container);
        var stop = notes.ClampSeconds("container.stopTimeout", config.Container.StopTimeout, 0, NoLimit, LimitSubject);
        // A terminating pod gets no new requests, and can finish its old ones while it sleeps before the signal.
        var drain = startsFirst ? notes.ClampSeconds("update.drain", config.Update.Drain, 0, NoLimit, LimitSubject) : 0;
        if (drain > 0)
        {
            notes.AddRemark("update.drain", "A terminating pod sleeps this long before it is stopped (preStop.sleep). This needs Kubernetes 1.30 or later.");
        }
        return new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "Deployment",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = KubernetesManifests.Labels(name) },
            ["spec"] = new JsonObject
            {
                ["replicas"] = 1,
                ["selector"] = new JsonObject { ["matchLabels"] = KubernetesManifests.Labels(name) },
                ["strategy"] = startsFirst
                    ? new JsonObject
                    {
                        ["type"] = "RollingUpdate",
                        ["rollingUpdate"] = new JsonObject { ["maxUnavailable"] = 0, ["maxSurge"] = 1 },
                    }
                    : new JsonObject { ["type"] = "Recreate" },
                ["progressDeadlineSeconds"] = (int)Math.Ceiling((config.Health.Startup.Deadline + PullAllowance).TotalSeconds),
                ["template"] = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["labels"] = KubernetesManifests.Labels(name) },
                    ["spec"] = new JsonObject
                    {
                        // So that the app is not PID 1, and signals without a handler stop it.
                        ["shareProcessNamespace"] = true,
                        ["automountServiceAccountToken"] = false,
                        // Otherwise each Service adds environment variables, which the app may take for its own settings.
                        ["enableServiceLinks"] = false,
                        ["terminationGracePeriodSeconds"] = stop + drain,
                        ["securityContext"] = PodSecurityContext(config.Container),
                        ["containers"] = new JsonArray(Container(config, location, name, drain, notes)),
                        ["volumes"] = JsonFormatter.ToArrayOrNull(Volumes(config, name)),
                    },
                },
            },
        };
    }

    private static JsonObject Container(AgentConfig config, AwsLocation location, string name, int drain, ExportNotes notes)
    {
        var container = config.Container;
        var image = ImageUri.For(config, location, notes);
        var isPinned = ImageUri.IsPinned(config);
        if (!isPinned)
        {
            notes.AddRemark(
                "image",
                "Each start of the pod resolves the tag, also after a crash or on another node. "
                + "With a digest (@sha256:…) instead, you know what runs, and 'kubectl rollout undo' is exact.");
        }
        notes.AddStep(image.Contains(".dkr.ecr.", StringComparison.Ordinal)
            ? "Allow the nodes to pull from ECR: on EKS with the policy AmazonEC2ContainerRegistryPullOnly of the node role, "
                + "elsewhere with imagePullSecrets, whose ECR password expires after 12 hours."
            : "If this registry requires a login, give the pod imagePullSecrets.");
        return new JsonObject
        {
            ["name"] = name,
            ["image"] = image,
            ["imagePullPolicy"] = isPinned ? "IfNotPresent" : "Always",
            ["ports"] = new JsonArray(new JsonObject
            {
                ["name"] = KubernetesManifests.PortName,
                ["containerPort"] = container.Port,
                ["protocol"] = "TCP",
            }),
            ["env"] = JsonFormatter.ToArrayOrNull([
                .. config.Environment.Select(variable => new JsonObject { ["name"] = variable.Key, ["value"] = EscapeDollars(variable.Value) }),
                .. config.Secrets.Where(secret => secret.Value.Path is null).Select(secret => new JsonObject
                {
                    ["name"] = secret.Key,
                    ["valueFrom"] = new JsonObject
                    {
                        ["secretKeyRef"] = new JsonObject { ["name"] = KubernetesSecrets.NameOf(name), ["key"] = secret.Key },
                    },
                }),
            ]),
            ["resources"] = container is { Memory: null, Cpus: null } ? null : new JsonObject
            {
                ["limits"] = new JsonObject
                {
                    ["cpu"] = container.Cpus is { } cpus ? $"{(long)Math.Ceiling(Math.Round(cpus * 1000, 3))}m" : null,
                    ["memory"] = container.Memory is { } memory ? Quantity(memory) : null,
                },
            },
            ["securityContext"] = ContainerSecurityContext(container, notes),
            ["startupProbe"] = StartupProbe(config, notes),
            ["readinessProbe"] = LivenessProbe(config, notes: null),
            ["livenessProbe"] = LivenessProbe(config, notes),
            ["lifecycle"] = drain == 0 ? null : new JsonObject
            {
                ["preStop"] = new JsonObject { ["sleep"] = new JsonObject { ["seconds"] = drain } },
            },
            ["volumeMounts"] = JsonFormatter.ToArrayOrNull(VolumeMounts(config)),
        };
    }

    private static JsonObject StartupProbe(AgentConfig config, ExportNotes notes)
    {
        var startup = config.Health.Startup;
        var timeout = notes.ClampSeconds("health.startup.timeout", startup.Timeout, 1, NoLimit, LimitSubject);
        // Kubernetes counts failures, not time. With period >= timeout, hanging and refusing apps have the same deadline.
        var period = Math.Max(timeout, notes.ClampSeconds("health.startup.interval", startup.Interval, 1, NoLimit, LimitSubject));
        if (period > startup.Interval.TotalSeconds)
        {
            notes.AddRemark("health.startup.interval", $"It becomes {period}s, at least the timeout of one probe, to keep the deadline.");
        }
        return Probe(startup.Path, period, timeout, Math.Max(1, (int)Math.Ceiling(startup.Deadline.TotalSeconds / period)));
    }

    /// <param name="config">The configuration to export.</param>
    /// <param name="notes">Null: no remarks, because the other probe with the same values adds them.</param>
    private static JsonObject LivenessProbe(AgentConfig config, ExportNotes? notes)
    {
        var liveness = config.Health.Liveness;
        notes ??= new ExportNotes();
        return Probe(
            liveness.Path,
            notes.ClampSeconds("health.liveness.interval", liveness.Interval, 1, NoLimit, LimitSubject),
            notes.ClampSeconds("health.liveness.timeout", liveness.Timeout, 1, NoLimit, LimitSubject),
            liveness.Failures);
    }

    private static JsonObject Probe(string path, int period, int timeout, int failures) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = KubernetesManifests.PortName },
        ["periodSeconds"] = period,
        ["timeoutSeconds"] = timeout,
        ["failureThreshold"] = failures,
    };

    private static JsonObject ContainerSecurityContext(ContainerConfig container, ExportNotes notes)
    {
        var ids = (container.User ?? "").Split(':');
        var user = ParseId(ids[0]);
        var group = ids.Length > 1 ? ParseId(ids[1]) : null;
        if (container.User is not null && (user is null || (ids.Length > 1 && group is null)))
        {
            var diskNote = container.HasWritableVolumes
                ? " Without numbers, the app can't write to a new disk, which root owns; with them, the disk gets the app's group."
                : "";
            notes.AddRemark("container.user", $"Kubernetes accepts only numeric users and groups: set numbers, or USER in the image.{diskNote}");
        }
        return new JsonObject
        {
            ["allowPrivilegeEscalation"] = false,
            ["readOnlyRootFilesystem"] = container.ReadOnlyRoot ? true : null,
            ["runAsUser"] = user,
            ["runAsGroup"] = group,
        };
    }

    /// <summary>Root owns a new disk. This gives it the app's group.</summary>
    private static JsonObject? PodSecurityContext(ContainerConfig container) =>
        container.HasWritableVolumes && VolumeFolders.OwnerOf(container) is { } owner
            ? new JsonObject { ["fsGroup"] = ParseId(owner.Split(':')[1]), ["fsGroupChangePolicy"] = "OnRootMismatch" }
            : null;

    private static IEnumerable<JsonNode> VolumeMounts(AgentConfig config)
    {
        var container = config.Container;
        var folders = ResourceNames.FolderNames(container.Volumes);
        foreach (var volume in container.Volumes)
        {
            yield return new JsonObject
            {
                ["name"] = DataVolume,
                ["mountPath"] = volume.Container,
                ["subPath"] = folders[volume.Host],
                ["readOnly"] = volume.ReadOnly ? true : null,
            };
        }
        if (TmpVolume.IsNeeded(container))
        {
            yield return new JsonObject { ["name"] = TmpVolume.Name, ["mountPath"] = TmpVolume.MountPath };
        }
        if (HasSecretFiles(config))
        {
            yield return new JsonObject { ["name"] = SecretsVolume, ["mountPath"] = config.SecretsFolder, ["readOnly"] = true };
        }
    }

    private static bool HasSecretFiles(AgentConfig config) => config.Secrets.Values.Any(secret => secret.Path is not null);

    private static IEnumerable<JsonNode> Volumes(AgentConfig config, string name)
    {
        var container = config.Container;
        if (container.Volumes.Count > 0)
        {
            yield return new JsonObject
            {
                ["name"] = DataVolume,
                ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = KubernetesManifests.ClaimName(name) },
            };
        }
        if (TmpVolume.IsNeeded(container))
        {
            yield return new JsonObject { ["name"] = TmpVolume.Name, ["emptyDir"] = new JsonObject { ["medium"] = "Memory" } };
        }
        if (HasSecretFiles(config))
        {
            var files = config.Secrets.Where(secret => secret.Value.Path is not null)
                .Select(secret => new JsonObject { ["key"] = secret.Key, ["path"] = Path.GetFileName(secret.Value.Path) });
            yield return new JsonObject
            {
                ["name"] = SecretsVolume,
                ["secret"] = new JsonObject { ["secretName"] = KubernetesSecrets.NameOf(name), ["items"] = JsonFormatter.ToArrayOrNull(files) },
            };
        }
    }

    /// <summary>Kubernetes expands <c>$(NAME)</c> and turns <c>$$</c> into <c>$</c>.</summary>
    private static string EscapeDollars(string value) => value.Replace("$", "$$", StringComparison.Ordinal);

    private static string Quantity(long bytes) =>
        bytes % (1 << 20) == 0 ? $"{bytes >> 20}Mi" : bytes.ToString(CultureInfo.InvariantCulture);

    private static long? ParseId(string text) => uint.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
}
