using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>What <c>aws ecs create-service --cli-input-json</c> takes.</summary>
internal static class EcsService
{
    /// <param name="config">What is exported.</param>
    /// <param name="cluster">A name or an ARN; null: not given.</param>
    /// <param name="targetGroup">An ARN; null: not given.</param>
    /// <param name="subnets">Ids; empty: not given.</param>
    /// <param name="securityGroups">Ids; empty: not given.</param>
    public static Exported Of(AgentConfig config, string? cluster, string? targetGroup, IReadOnlyList<string> subnets, IReadOnlyList<string> securityGroups)
    {
        var notes = new Notes();
        var name = Names.Ecs(config.Container.Name);
        var startsFirst = config.Update.StartsFirst(config.Container);
        if (!startsFirst)
        {
            notes.Remark("update.swap", "ECS counts the tasks that start or run, and one that is just stopping is neither: for the time of container.stopTimeout two may write to the same files. Where that would do harm, as with SQLite and Chroma: 'aws ecs update-service --desired-count 0', wait, then the new task definition with 1.");
        }
        return notes.With(new JsonObject
        {
            ["cluster"] = notes.Given(cluster, "cluster", "The name of the cluster.", "--cluster"),
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
            ["healthCheckGracePeriodSeconds"] = notes.Seconds("health.startup.deadline", config.Health.Startup.Deadline, 0, int.MaxValue, "ECS takes"),
            ["loadBalancers"] = new JsonArray(new JsonObject
            {
                ["targetGroupArn"] = notes.Given(targetGroup, "target-group", "The ARN of the target group, which a listener of the load balancer must lead to already.", "--target-group"),
                ["containerName"] = name,
                ["containerPort"] = config.Container.Port,
            }),
            ["networkConfiguration"] = new JsonObject
            {
                ["awsvpcConfiguration"] = new JsonObject
                {
                    ["subnets"] = notes.AllGiven(subnets, "subnet", "The subnets that the task may run in, with a way to ECR: public ones, or private ones with a NAT gateway.", "--subnet"),
                    ["securityGroups"] = notes.AllGiven(securityGroups, "security-group",
                        $"A security group that lets port {config.Container.Port} in from the load balancer's alone: nothing asks those who reach the task past it.", "--security-group"),
                    // In a public subnet it is the only way to the registry; in a private one it does nothing.
                    ["assignPublicIp"] = "ENABLED",
                },
            },
        });
    }
}
