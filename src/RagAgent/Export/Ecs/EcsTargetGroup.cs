using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>What <c>aws elbv2 create-target-group --cli-input-json</c> takes: with ECS, the load balancer asks whether the app is well.</summary>
internal static class EcsTargetGroup
{
    private const string LimitSubject = "a load balancer takes";

    public static ExportResult Create(AgentConfig config, string? vpc)
    {
        var notes = new ExportNotes();
        var liveness = config.Health.Liveness;
        var name = ResourceNames.ForTargetGroup(config.Container.Name);
        if (name != config.Container.Name)
        {
            notes.AddRemark("container.name", $"The target group is called {name}: it takes 32 letters, digits and '-'.");
        }
        var interval = notes.ClampSeconds("health.liveness.interval", liveness.Interval, 5, 300, LimitSubject);
        var document = new JsonObject
        {
            ["Name"] = name,
            ["TargetType"] = "ip",
            ["Protocol"] = "HTTP",
            ["Port"] = config.Container.Port,
            ["VpcId"] = notes.ValueOrPlaceholder(vpc, "vpc", "The VPC of the load balancer and the tasks, like vpc-0123456789abcdef0.", "--vpc"),
            ["HealthCheckProtocol"] = "HTTP",
            ["HealthCheckPath"] = liveness.Path,
            ["HealthCheckIntervalSeconds"] = interval,
            // It must be over before the next one begins.
            ["HealthCheckTimeoutSeconds"] = notes.ClampSeconds("health.liveness.timeout", liveness.Timeout, 2, Math.Min(120, interval - 1), LimitSubject),
            ["HealthyThresholdCount"] = 2,
            ["UnhealthyThresholdCount"] = notes.ClampCount("health.liveness.failures", liveness.Failures, 2, 10, LimitSubject),
            ["Matcher"] = new JsonObject { ["HttpCode"] = "200-299" },
        };
        notes.AddRemark(new Remark(["health.startup.path", "health.startup.interval", "health.startup.timeout"], "A task that starts is asked like one that serves; it comes in with the second good answer in a row."));
        var rule = config.Listen.BasePath is { } path ? $" {path} and {path}/*" : " everything";
        notes.AddRemark(new Remark(["listen.http", "listen.basePath"], $"The load balancer, its listener on port {config.Listen.Http} and the rule that leads{rule} to the target group are yours to make. Its idle timeout of 60 s ends no WebSocket of Streamlit, which pings."));
        var startsFirst = config.Update.StartsFirst(config.Container);
        notes.AddRemark("update.drain", $"{(startsFirst ? "Set it" : "ECS waits for open connections before it stops a task, 300 s as a rule, and nobody is served meanwhile. Set less")} when the target group is there: aws elbv2 modify-target-group-attributes --target-group-arn … --attributes Key=deregistration_delay.timeout_seconds,Value={(startsFirst ? (int)config.Update.Drain.TotalSeconds : 5)}");
        return notes.Build(document);
    }
}
