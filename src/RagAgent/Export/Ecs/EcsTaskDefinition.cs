using System.Globalization;
using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>What <c>aws ecs register-task-definition --cli-input-json</c> takes, for Fargate.</summary>
internal static class EcsTaskDefinition
{
    /// <summary>What a task gets where the configuration sets no limit: Fargate sells no task without a size.</summary>
    private const double DefaultCpus = 1;
    private const long DefaultMemory = 4L << 30;

    private const int MinStopTimeout = 2, MaxStopTimeout = 120;

    /// <param name="config">What is exported.</param>
    /// <param name="location">Where the task will run.</param>
    /// <param name="executionRole">An ARN; null: not given.</param>
    /// <param name="fileSystem">The id of an EFS file system; null: not given.</param>
    public static ExportResult Create(AgentConfig config, AwsLocation location, string? executionRole, string? fileSystem)
    {
        var notes = new ExportNotes();
        UnsupportedSettings.AddRemarks(config, ExportTarget.Ecs, notes);
        var container = config.Container;
        var name = ResourceNames.ForEcs(container.Name);
        if (name != container.Name)
        {
            notes.AddRemark("container.name", $"It is called {name}: ECS takes no dots.");
        }
        var size = ChooseSize(container, notes);
        var folders = ResourceNames.FolderNames(container.Volumes);
        if (folders.Count > 0)
        {
            notes.AddStep($"Make the folders in the EFS file system ({string.Join(", ", folders.Values.Select(folder => "/" + folder))}), as the app's own, and copy the data to them while the app is stopped: a task whose folder is missing does not start. The file system's security group must let the task's in, on port 2049.");
            notes.AddRemark("container.volumes", "The folders are on EFS, which is NFS: slower than a disk, and a database like SQLite in them (chroma_db) is safe with one task alone.");
        }
        var image = ImageUri.For(config, location, notes);
        if (!ImageUri.IsPinned(config))
        {
            notes.AddRemark("image", "ECS looks the tag up when a deployment begins, and no push changes what runs. A digest (@sha256:…) in its place says what runs, and makes a return to it exact.");
        }
        if (config.Image.Contains('/') && !image.Contains(".dkr.ecr.", StringComparison.Ordinal))
        {
            notes.AddRemark("image", "Where this registry asks for a login, the container needs repositoryCredentials.");
        }
        var region = ImageUri.RegionOrPlaceholder(config, location, notes);
        var log = $"/ecs/{name}";
        notes.AddStep($"Make the group of the log: aws logs create-log-group --log-group-name {log}");
        var document = new JsonObject
        {
            ["family"] = name,
            ["requiresCompatibilities"] = new JsonArray("FARGATE"),
            ["networkMode"] = "awsvpc",
            // RagAgent runs on this one, so the image is made for it.
            ["runtimePlatform"] = new JsonObject { ["cpuArchitecture"] = "X86_64", ["operatingSystemFamily"] = "LINUX" },
            ["cpu"] = size.Cpu.ToString(CultureInfo.InvariantCulture),
            ["memory"] = size.Memory.ToString(CultureInfo.InvariantCulture),
            ["executionRoleArn"] = notes.ValueOrPlaceholder(executionRole, "execution-role", "The ARN of the role by which ECS pulls the image and reads the secrets.", "--execution-role"),
            ["containerDefinitions"] = new JsonArray(new JsonObject
            {
                ["name"] = name,
                ["image"] = image,
                ["essential"] = true,
                ["portMappings"] = new JsonArray(new JsonObject { ["containerPort"] = container.Port, ["protocol"] = "tcp" }),
                ["memory"] = container.Memory is { } memory ? (int)Math.Min(size.Memory, (memory + (1 << 20) - 1) >> 20) : null,
                ["user"] = container.User,
                ["environment"] = JsonFormatter.ToArrayOrNull(config.Environment.Select(variable => new JsonObject { ["name"] = variable.Key, ["value"] = variable.Value })),
                ["secrets"] = JsonFormatter.ToArrayOrNull(EcsSecrets.Create(config, location, notes)),
                ["readonlyRootFilesystem"] = container.ReadOnlyRoot ? true : null,
                ["mountPoints"] = JsonFormatter.ToArrayOrNull(MountPoints(container, folders)),
                // Someone must be PID 1 who passes signals on.
                ["linuxParameters"] = new JsonObject { ["initProcessEnabled"] = true },
                ["stopTimeout"] = notes.ClampSeconds("container.stopTimeout", container.StopTimeout, MinStopTimeout, MaxStopTimeout, "Fargate waits"),
                ["logConfiguration"] = new JsonObject
                {
                    ["logDriver"] = "awslogs",
                    ["options"] = new JsonObject { ["awslogs-group"] = log, ["awslogs-region"] = region, ["awslogs-stream-prefix"] = name },
                },
            }),
            ["volumes"] = JsonFormatter.ToArrayOrNull(Volumes(container, folders, fileSystem, notes)),
        };
        notes.AddStep($"Give the execution role AWS's policy AmazonECSTaskExecutionRolePolicy{(config.Secrets.Count > 0 ? ", and what reading the secrets takes: ssm:GetParameters on the parameters (secretsmanager:GetSecretValue on Secrets Manager's), kms:Decrypt on a key of your own" : "")}.");
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
            notes.AddRemark(new Remark(["container.cpus", "container.memory"], $"The task has {cpus} vCPU and {size.Memory} MiB: {(found is null ? "Fargate has nothing larger, and the app gets less than it has here" : container is { Cpus: null } or { Memory: null } ? "Fargate wants a size, and where the configuration sets no limit it is 1 vCPU and 4 GiB" : "Fargate has no size that is nearer")}. It costs by the size."));
        }
        return size;
    }

    private static IEnumerable<JsonNode> MountPoints(ContainerConfig container, IReadOnlyDictionary<string, string> folders)
    {
        foreach (var volume in container.Volumes)
        {
            yield return new JsonObject { ["sourceVolume"] = VolumeName(folders[volume.Host]), ["containerPath"] = volume.Container, ["readOnly"] = volume.ReadOnly };
        }
        if (TmpVolume.IsNeeded(container))
        {
            yield return new JsonObject { ["sourceVolume"] = TmpVolume.Name, ["containerPath"] = TmpVolume.MountPath, ["readOnly"] = false };
        }
    }

    private static IEnumerable<JsonNode> Volumes(ContainerConfig container, IReadOnlyDictionary<string, string> folders, string? fileSystem, ExportNotes notes)
    {
        foreach (var folder in folders.Values)
        {
            yield return new JsonObject
            {
                ["name"] = VolumeName(folder),
                ["efsVolumeConfiguration"] = new JsonObject
                {
                    ["fileSystemId"] = notes.ValueOrPlaceholder(fileSystem, "file-system", "The id of the EFS file system that has the data, like fs-0123456789abcdef0.", "--file-system"),
                    ["rootDirectory"] = $"/{folder}",
                    ["transitEncryption"] = "ENABLED",
                },
            };
        }
        if (TmpVolume.IsNeeded(container))
        {
            notes.AddRemark("container.readOnlyRoot", "/tmp is an empty folder of the task, and root's unless the Dockerfile has VOLUME /tmp: Fargate has no tmpfs.");
            yield return new JsonObject { ["name"] = TmpVolume.Name };
        }
    }

    /// <summary>Never that of the folder for <c>/tmp</c>.</summary>
    private static string VolumeName(string folder) => $"data-{folder}";
}
