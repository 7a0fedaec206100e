using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export.Ecs;

/// <summary>The input of <c>aws elbv2 create-target-group --cli-input-json</c>. With ECS, the load balancer probes the app.</summary>
internal static class EcsTargetGroup
{
    private const string LimitSubject = "a load balancer accepts";

    public static ExportResult Create(AgentConfig config, string? vpc)
    {
        var notes = new ExportNotes();
        var liveness = config.Health.Liveness;
        var name = ResourceNames.ForTargetGroup(config.Container.Name);
        if (name != config.Container.Name)
        {
            notes.AddRemark("container.name", $"The target group is named {name}: its name can have 32 letters, digits and '-'.");
        }
        var interval = notes.ClampSeconds("health.liveness.interval", liveness.Interval, 5, 300, LimitSubject);
        var document = new JsonObject
        {
            ["Name"] = name,
            ["TargetType"] = "ip",
            ["Protocol"] = "HTTP",
            ["Port"] = config.Container.Port,
            ["VpcId"] = notes.ValueOrPlaceholder(
                vpc,
                "vpc",
                "The VPC of the load balancer and the tasks, like vpc-0123456789abcdef0.",
                "--vpc"),
            ["HealthCheckProtocol"] = "HTTP",
            ["HealthCheckPath"] = liveness.Path,
            ["HealthCheckIntervalSeconds"] = interval,
            // Must be shorter than the interval.
            ["HealthCheckTimeoutSeconds"] =
                notes.ClampSeconds("health.liveness.timeout", liveness.Timeout, 2, Math.Min(120, interval - 1), LimitSubject),
            ["HealthyThresholdCount"] = 2,
            ["UnhealthyThresholdCount"] = notes.ClampCount("health.liveness.failures", liveness.Failures, 2, 10, LimitSubject),
            ["Matcher"] = new JsonObject { ["HttpCode"] = "200-299" },
        };
        notes.AddRemark(new Remark(
            ["health.startup.path", "health.startup.interval", "health.startup.timeout"],
            "A starting task is probed like a serving one. It gets requests after two consecutive successes."));
        var paths = config.Listen.BasePath is { } path ? $"{path} and {path}/*" : "everything";
        notes.AddRemark(new Remark(
            ["listen.http", "listen.basePath"],
            $"Create the load balancer, its listener on port {config.Listen.Http} and the rule that forwards {paths} to the target group yourself. "
            + "Its idle timeout of 60 s closes no WebSocket of Streamlit, which sends pings."));
        var startsFirst = config.Update.StartsFirst(config.Container);
        var delay = startsFirst ? (int)config.Update.Drain.TotalSeconds : 5;
        var introduction = startsFirst
            ? "Set it"
            : "ECS waits for open connections before it stops a task, 300 s by default, and nothing serves meanwhile. Set a shorter delay";
        notes.AddRemark(
            "update.drain",
            $"{introduction} once the target group exists: aws elbv2 modify-target-group-attributes --target-group-arn … "
            + $"--attributes Key=deregistration_delay.timeout_seconds,Value={delay}");
        return notes.Build(document);
    }
}
