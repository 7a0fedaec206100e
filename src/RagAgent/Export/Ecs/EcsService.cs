using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>The input of <c>aws ecs create-service --cli-input-json</c>.</summary>
internal static class EcsService
{
    /// <param name="config">The configuration to export.</param>
    /// <param name="cluster">A name or an ARN; null: use a placeholder.</param>
    /// <param name="targetGroup">An ARN; null: use a placeholder.</param>
    /// <param name="subnets">IDs; empty: use a placeholder.</param>
    /// <param name="securityGroups">IDs; empty: use a placeholder.</param>
    public static ExportResult Create(
        AgentConfig config,
        string? cluster,
        string? targetGroup,
        IReadOnlyList<string> subnets,
        IReadOnlyList<string> securityGroups)
    {
        var notes = new ExportNotes();
        var name = ResourceNames.ForEcs(config.Container.Name);
        var startsFirst = config.Update.StartsFirst(config.Container);
        if (!startsFirst)
        {
            notes.AddRemark(
                "update.swap",
                "ECS counts tasks that start or run, but not one that is stopping: "
                + "for up to container.stopTimeout, two may write to the same files. "
                + "If that does harm, as with SQLite and Chroma, run 'aws ecs update-service --desired-count 0', wait, "
                + "then set the new task definition with a count of 1.");
        }
        return notes.Build(new JsonObject
        {
            ["cluster"] = notes.ValueOrPlaceholder(cluster, "cluster", "The name of the cluster.", "--cluster"),
            ["serviceName"] = name,
            // Without a revision: the newest one.
            ["taskDefinition"] = name,
            ["desiredCount"] = 1,
            ["launchType"] = "FARGATE",
            ["deploymentConfiguration"] = new JsonObject
            {
                ["minimumHealthyPercent"] = startsFirst ? 100 : 0,
                ["maximumPercent"] = startsFirst ? 200 : 100,
                ["deploymentCircuitBreaker"] = new JsonObject { ["enable"] = true, ["rollback"] = true },
            },
            ["healthCheckGracePeriodSeconds"] =
                notes.ClampSeconds("health.startup.deadline", config.Health.Startup.Deadline, 0, int.MaxValue, "ECS accepts"),
            ["loadBalancers"] = new JsonArray(new JsonObject
            {
                ["targetGroupArn"] = notes.ValueOrPlaceholder(
                    targetGroup,
                    "target-group",
                    "The ARN of the target group, which a listener of the load balancer must already forward to.",
                    "--target-group"),
                ["containerName"] = name,
                ["containerPort"] = config.Container.Port,
            }),
            ["networkConfiguration"] = new JsonObject
            {
                ["awsvpcConfiguration"] = new JsonObject
                {
                    ["subnets"] = notes.ValuesOrPlaceholder(
                        subnets,
                        "subnet",
                        "The subnets for the task, with a route to ECR: public ones, or private ones with a NAT gateway.",
                        "--subnet"),
                    ["securityGroups"] = notes.ValuesOrPlaceholder(
                        securityGroups,
                        "security-group",
                        $"A security group that allows port {config.Container.Port} only from the load balancer's: "
                        + "clients that bypass the load balancer are not authenticated.",
                        "--security-group"),
                    // The only route to the registry in a public subnet, and without effect in a private one.
                    ["assignPublicIp"] = "ENABLED",
                },
            },
        });
    }
}
