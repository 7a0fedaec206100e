using System.Globalization;
using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>The input of <c>aws ecs register-task-definition --cli-input-json</c>, for Fargate.</summary>
internal static class EcsTaskDefinition
{
    // Used if the configuration sets no limit, because Fargate requires a size.
    private const double DefaultCpus = 1;
    private const long DefaultMemory = 4L << 30;

    private const int MinStopTimeout = 2;
    private const int MaxStopTimeout = 120;

    /// <param name="config">The configuration to export.</param>
    /// <param name="location">Where the image and the secrets are.</param>
    /// <param name="executionRole">An ARN; null: use a placeholder.</param>
    /// <param name="fileSystem">The ID of an EFS file system; null: use a placeholder.</param>
    public static ExportResult Create(AgentConfig config, AwsLocation location, string? executionRole, string? fileSystem)
    {
        var notes = new ExportNotes();
        UnsupportedSettings.AddRemarks(config, ExportTarget.Ecs, notes);
        var container = config.Container;
        var name = ResourceNames.ForEcs(container.Name);
        if (name != container.Name)
        {
            notes.AddRemark("container.name", $"It is named {name}: ECS allows no dots.");
        }
        var size = ChooseSize(container, notes);
        var folders = ResourceNames.FolderNames(container.Volumes);
        if (folders.Count > 0)
        {
            notes.AddStep(
                $"Create the folders in the EFS file system ({string.Join(", ", folders.Values.Select(folder => "/" + folder))}), owned by the app's user, "
                + "and copy the data to them while the app is stopped: a task with a missing folder doesn't start. "
                + "The file system's security group must allow the task's on port 2049.");
            notes.AddRemark(
                "container.volumes",
                "The folders are on EFS, which is NFS: slower than a disk, and a database like SQLite (chroma_db) is safe only with a single task.");
        }
        var image = ImageUri.For(config, location, notes);
        if (!ImageUri.IsPinned(config))
        {
            notes.AddRemark(
                "image",
                "ECS resolves the tag when a deployment begins; a push doesn't change what runs. "
                + "With a digest (@sha256:…) instead, you know what runs, and can return to exactly that.");
        }
        if (config.Image.Contains('/') && !image.Contains(".dkr.ecr.", StringComparison.Ordinal))
        {
            notes.AddRemark("image", "If this registry requires a login, the container needs repositoryCredentials.");
        }
        var region = ImageUri.RegionOrPlaceholder(config, location, notes);
        var log = $"/ecs/{name}";
        notes.AddStep($"Create the log group: aws logs create-log-group --log-group-name {log}");
        var document = new JsonObject
        {
            ["family"] = name,
            ["requiresCompatibilities"] = new JsonArray("FARGATE"),
            ["networkMode"] = "awsvpc",
            // The architecture of RagAgent, so the image has it too.
            ["runtimePlatform"] = new JsonObject { ["cpuArchitecture"] = "X86_64", ["operatingSystemFamily"] = "LINUX" },
            ["cpu"] = size.Cpu.ToString(CultureInfo.InvariantCulture),
            ["memory"] = size.Memory.ToString(CultureInfo.InvariantCulture),
            ["executionRoleArn"] = notes.ValueOrPlaceholder(
                executionRole,
                "execution-role",
                "The ARN of the role with which ECS pulls the image and reads the secrets.",
                "--execution-role"),
            ["containerDefinitions"] = new JsonArray(new JsonObject
            {
                ["name"] = name,
                ["image"] = image,
                ["essential"] = true,
                ["portMappings"] = new JsonArray(new JsonObject { ["containerPort"] = container.Port, ["protocol"] = "tcp" }),
                ["memory"] = container.Memory is { } memory ? (int)Math.Min(size.Memory, (memory + (1 << 20) - 1) >> 20) : null,
                ["user"] = container.User,
                ["environment"] = JsonFormatter.ToArrayOrNull(
                    config.Environment.Select(variable => new JsonObject { ["name"] = variable.Key, ["value"] = variable.Value })),
                ["secrets"] = JsonFormatter.ToArrayOrNull(EcsSecrets.Create(config, location, notes)),
                ["readonlyRootFilesystem"] = container.ReadOnlyRoot ? true : null,
                ["mountPoints"] = JsonFormatter.ToArrayOrNull(MountPoints(container, folders)),
                // PID 1 must forward signals to the app.
                ["linuxParameters"] = new JsonObject { ["initProcessEnabled"] = true },
                ["stopTimeout"] =
                    notes.ClampSeconds("container.stopTimeout", container.StopTimeout, MinStopTimeout, MaxStopTimeout, "Fargate waits"),
                ["logConfiguration"] = new JsonObject
                {
                    ["logDriver"] = "awslogs",
                    ["options"] = new JsonObject
                    {
                        ["awslogs-group"] = log,
                        ["awslogs-region"] = region,
                        ["awslogs-stream-prefix"] = name,
                    },
                },
            }),
            ["volumes"] = JsonFormatter.ToArrayOrNull(Volumes(container, folders, fileSystem, notes)),
        };
        var secretPermissions = config.Secrets.Count > 0
            ? " and permission to read the secrets: ssm:GetParameters on the parameters (secretsmanager:GetSecretValue on those of Secrets Manager), "
                + "kms:Decrypt on your own key"
            : "";
        notes.AddStep($"Give the execution role the AWS policy AmazonECSTaskExecutionRolePolicy{secretPermissions}.");
        return notes.Build(document);
    }

    private static FargateSize ChooseSize(ContainerConfig container, ExportNotes notes)
    {
        var found = FargateSize.SmallestFor(container.Cpus ?? DefaultCpus, container.Memory ?? DefaultMemory);
        var size = found ?? FargateSize.Largest;
        var cpus = (size.Cpu / 1024.0).ToString(CultureInfo.InvariantCulture);
        var isExact = container.Memory == size.Memory * (1L << 20) && container.Cpus is { } wanted && wanted * 1024 == size.Cpu;
        if (!isExact)
        {
            var reason = (found, container) switch
            {
                (null, _) => "Fargate has no larger size, so the app gets less than here",
                (_, { Cpus: null } or { Memory: null }) => "Fargate requires a size; where the configuration sets no limit, it is 1 vCPU and 4 GiB",
                _ => "Fargate has no closer size",
            };
            notes.AddRemark(new Remark(
                ["container.cpus", "container.memory"],
                $"The task has {cpus} vCPU and {size.Memory} MiB: {reason}. The price depends on the size."));
        }
        return size;
    }

    private static IEnumerable<JsonNode> MountPoints(ContainerConfig container, IReadOnlyDictionary<string, string> folders)
    {
        foreach (var volume in container.Volumes)
        {
            yield return new JsonObject
            {
                ["sourceVolume"] = VolumeName(folders[volume.Host]),
                ["containerPath"] = volume.Container,
                ["readOnly"] = volume.ReadOnly,
            };
        }
        if (TmpVolume.IsNeeded(container))
        {
            yield return new JsonObject
            {
                ["sourceVolume"] = TmpVolume.Name,
                ["containerPath"] = TmpVolume.MountPath,
                ["readOnly"] = false,
            };
        }
    }

    private static IEnumerable<JsonNode> Volumes(
        ContainerConfig container,
        IReadOnlyDictionary<string, string> folders,
        string? fileSystem,
        ExportNotes notes)
    {
        foreach (var folder in folders.Values)
        {
            yield return new JsonObject
            {
                ["name"] = VolumeName(folder),
                ["efsVolumeConfiguration"] = new JsonObject
                {
                    ["fileSystemId"] = notes.ValueOrPlaceholder(
                        fileSystem,
                        "file-system",
                        "The ID of the EFS file system with the data, like fs-0123456789abcdef0.",
                        "--file-system"),
                    ["rootDirectory"] = $"/{folder}",
                    ["transitEncryption"] = "ENABLED",
                },
            };
        }
        if (TmpVolume.IsNeeded(container))
        {
            notes.AddRemark(
                "container.readOnlyRoot",
                "/tmp is an empty folder of the task, owned by root unless the Dockerfile has VOLUME /tmp: Fargate has no tmpfs.");
            yield return new JsonObject { ["name"] = TmpVolume.Name };
        }
    }

    /// <summary>The prefix keeps it different from <see cref="TmpVolume.Name"/>.</summary>
    private static string VolumeName(string folder) => $"data-{folder}";
}
