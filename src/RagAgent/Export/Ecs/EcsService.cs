using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>What <c>aws ecs create-service --cli-input-json</c> takes.</summary>
internal static class EcsService
{
    /// <param name="config">What is exported.</param>
    /// <param name="cluster">A name or an ARN; null: not given.</param>
    /// <param name="targetGroup">An ARN; null: not given.</param>
    /// <param name="subnets">Ids; empty: not given.</param>
    /// <param name="securityGroups">Ids; empty: not given.</param>
    public static ExportResult Create(AgentConfig config, string? cluster, string? targetGroup, IReadOnlyList<string> subnets, IReadOnlyList<string> securityGroups)
    {
        var notes = new ExportNotes();
        var name = ResourceNames.ForEcs(config.Container.Name);
        var startsFirst = config.Update.StartsFirst(config.Container);
        if (!startsFirst)
        {
            notes.AddRemark("update.swap", "ECS counts the tasks that start or run, and one that is just stopping is neither: for the time of container.stopTimeout two may write to the same files. Where that would do harm, as with SQLite and Chroma: 'aws ecs update-service --desired-count 0', wait, then the new task definition with 1.");
        }
        return notes.Build(new JsonObject
        {
            ["cluster"] = notes.ValueOrPlaceholder(cluster, "cluster", "The name of the cluster.", "--cluster"),
            ["serviceName"] = name,
            // Without a revision: the newest that is registered.
            ["taskDefinition"] = name,
            ["desiredCount"] = 1,
            ["launchType"] = "FARGATE",
            ["deploymentConfiguration"] = new JsonObject
            {
                ["minimumHealthyPercent"] = startsFirst ? 100 : 0,
                ["maximumPercent"] = startsFirst ? 200 : 100,
                ["deploymentCircuitBreaker"] = new JsonObject { ["enable"] = true, ["rollback"] = true },
            },
            ["healthCheckGracePeriodSeconds"] = notes.ClampSeconds("health.startup.deadline", config.Health.Startup.Deadline, 0, int.MaxValue, "ECS takes"),
            ["loadBalancers"] = new JsonArray(new JsonObject
            {
                ["targetGroupArn"] = notes.ValueOrPlaceholder(targetGroup, "target-group", "The ARN of the target group, which a listener of the load balancer must lead to already.", "--target-group"),
                ["containerName"] = name,
                ["containerPort"] = config.Container.Port,
            }),
            ["networkConfiguration"] = new JsonObject
            {
                ["awsvpcConfiguration"] = new JsonObject
                {
                    ["subnets"] = notes.ValuesOrPlaceholder(subnets, "subnet", "The subnets that the task may run in, with a way to ECR: public ones, or private ones with a NAT gateway.", "--subnet"),
                    ["securityGroups"] = notes.ValuesOrPlaceholder(securityGroups, "security-group",
                        $"A security group that lets port {config.Container.Port} in from the load balancer's alone: nothing asks those who reach the task past it.", "--security-group"),
                    // In a public subnet it is the only way to the registry; in a private one it does nothing.
                    ["assignPublicIp"] = "ENABLED",
                },
            },
        });
    }
}
