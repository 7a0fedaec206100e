using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>What <c>aws elbv2 create-target-group --cli-input-json</c> takes: with ECS, the load balancer asks whether the app is well.</summary>
internal static class EcsTargetGroup
{
    private const string Whose = "a load balancer takes";

    public static Exported Of(AgentConfig config, string? vpc)
    {
        var notes = new Notes();
        var liveness = config.Health.Liveness;
        var name = Names.TargetGroup(config.Container.Name);
        if (name != config.Container.Name)
        {
            notes.Remark("container.name", $"The target group is called {name}: it takes 32 letters, digits and '-'.");
        }
        var interval = notes.Seconds("health.liveness.interval", liveness.Interval, 5, 300, Whose);
        var document = new JsonObject
        {
            ["Name"] = name,
            ["TargetType"] = "ip",
            ["Protocol"] = "HTTP",
            ["Port"] = config.Container.Port,
            ["VpcId"] = notes.Given(vpc, "vpc", "The VPC of the load balancer and the tasks, like vpc-0123456789abcdef0.", "--vpc"),
            ["HealthCheckProtocol"] = "HTTP",
            ["HealthCheckPath"] = liveness.Path,
            ["HealthCheckIntervalSeconds"] = interval,
            // It must be over before the next one begins.
            ["HealthCheckTimeoutSeconds"] = notes.Seconds("health.liveness.timeout", liveness.Timeout, 2, Math.Min(120, interval - 1), Whose),
            ["HealthyThresholdCount"] = 2,
            ["UnhealthyThresholdCount"] = notes.Count("health.liveness.failures", liveness.Failures, 2, 10, Whose),
            ["Matcher"] = new JsonObject { ["HttpCode"] = "200-299" },
        };
        notes.Remark(new Remark(["health.startup.path", "health.startup.interval", "health.startup.timeout"], "A task that starts is asked like one that serves; it comes in with the second good answer in a row."));
        var rule = config.Listen.BasePath is { } path ? $" {path} and {path}/*" : " everything";
        notes.Remark(new Remark(["listen.http", "listen.basePath"], $"The load balancer, its listener on port {config.Listen.Http} and the rule that leads{rule} to the target group are yours to make. Its idle timeout of 60 s ends no WebSocket of Streamlit, which pings."));
        var startsFirst = config.Update.StartsFirst(config.Container);
        notes.Remark("update.drain", $"{(startsFirst ? "Set it" : "ECS waits for open connections before it stops a task, 300 s as a rule, and nobody is served meanwhile. Set less")} when the target group is there: aws elbv2 modify-target-group-attributes --target-group-arn … --attributes Key=deregistration_delay.timeout_seconds,Value={(startsFirst ? (int)config.Update.Drain.TotalSeconds : 5)}");
        return notes.With(document);
    }
}
