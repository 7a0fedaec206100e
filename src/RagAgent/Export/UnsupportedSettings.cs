using RagAgent.Configuration;

namespace RagAgent.Export;

internal enum ExportTarget
{
    Ecs,
    Kubernetes,
}

/// <summary>What no document of another engine can say. What RagAgent does unasked is told always, the rest when the configuration asks for it.</summary>
internal static class UnsupportedSettings
{
    private sealed record Gap(string[] Keys, Func<AgentConfig, bool> AppliesTo, Func<AgentConfig, string> OnEcs, Func<AgentConfig, string> OnKubernetes);

    private static readonly Gap[] Gaps =
    [
        new(["access"], config => config.Access is not null,
            _ => "NOBODY IS ASKED FOR A PASSWORD any more, and no network is told from another: let the load balancer authenticate (OIDC, Cognito), or its security group say who may come.",
            _ => "NOBODY IS ASKED FOR A PASSWORD any more, and no network is told from another: let the Ingress ask, or whatever stands in front of it."),
        new(["update.every", "update.when"], _ => true,
            config => $"Nobody looks for a newer image. Let the workflow that pushes it end with: aws ecs update-service --cluster … --service {ResourceNames.ForEcs(config.Container.Name)} --force-new-deployment. It takes over at once, whoever is connected.",
            config => $"Nobody looks for a newer image. Let the workflow that pushes it end with: kubectl rollout restart deployment/{ResourceNames.ForKubernetes(config.Container.Name)}. It takes over at once, whoever is connected."),
        new(["update.watch"], _ => true,
            _ => "The circuit breaker goes back while a deployment does not become healthy. An image that fails minutes later stays, and none is quarantined.",
            config => $"A rollout that does not become ready stops there, with the old pod serving if the new one came first. Nothing goes back by itself: kubectl rollout undo deployment/{ResourceNames.ForKubernetes(config.Container.Name)}."),
        new(["update.boot"], config => config.Update.Boot != UpdateBoot.Latest,
            _ => "Fargate keeps no image: every task pulls its own.",
            _ => "A node may have the image still; the registry is asked for what the tag means at each start of the pod."),
        new(["page", "update.hold"], _ => true,
            _ => "While the app starts, fails or is exchanged, visitors get the load balancer's 503: there is no page, and no request waits.",
            _ => "While the app starts, fails or is exchanged, visitors get what the Ingress says then: there is no page, and no request waits."),
        new(["health.gate"], config => config.Health.Gate is not { Path: null, WebSocket: null },
            _ => "Nothing tries a page or a WebSocket before visitors come in.",
            _ => "Nothing tries a page or a WebSocket before visitors come in."),
        new(["restart"], config => config.Restart != new RestartConfig(),
            _ => "ECS starts a task that ended again, with delays of its own.",
            _ => "Kubernetes restarts what ended at once, then after 10 s, doubling to 5 minutes, until it has run well for 10 minutes."),
        new(["listen.https", "tls"], config => config.Listen.Https is not null || config.Tls != new TlsConfig(),
            config => $"HTTPS ends at the load balancer: give it a listener on port {config.Listen.Https ?? 443} with a certificate of ACM, which renews itself; that on port {config.Listen.Http} can lead there.",
            _ => "HTTPS ends at the Ingress: give it the certificate, for example by cert-manager."),
        new(["dns"], config => config.Dns is not null,
            config => $"Point {config.Dns!.Name} at the load balancer, by an alias record that stays; before that take dns out of /etc/ragagent.json, or this machine points it back.",
            config => $"Point {config.Dns!.Name} at the Ingress, by a record that stays; before that take dns out of /etc/ragagent.json, or this machine points it back."),
        new(["idle"], config => config.Idle is not null,
            _ => "Nothing stops by itself, and a task costs while it runs. A scheduled action of Application Auto Scaling can set the number of tasks to 0 at night.",
            _ => "Nothing stops by itself. A CronJob, or KEDA, can scale the Deployment to 0."),
    ];

    public static void AddRemarks(AgentConfig config, ExportTarget target, ExportNotes notes)
    {
        foreach (var gap in Gaps.Where(gap => gap.AppliesTo(config)))
        {
            notes.AddRemark(new Remark(gap.Keys, (target == ExportTarget.Ecs ? gap.OnEcs : gap.OnKubernetes)(config)));
        }
    }
}
