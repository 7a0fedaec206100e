using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>
/// Settings that no document of another platform can express.
/// What the agent does by default is always mentioned, the rest only if the configuration sets it.
/// </summary>
internal static class UnsupportedSettings
{
    private sealed record Gap(
        string[] Keys,
        Func<AgentConfig, bool> AppliesTo,
        Func<AgentConfig, string> OnEcs,
        Func<AgentConfig, string> OnKubernetes);

    private static readonly Gap[] Gaps =
    [
        new(["access"], config => config.Access is not null,
            _ => "THE APP WILL BE OPEN TO EVERYONE: passwords and networks are not exported. "
                + "Let the load balancer authenticate clients (OIDC, Cognito), or restrict its security group.",
            _ => "THE APP WILL BE OPEN TO EVERYONE: passwords and networks are not exported. "
                + "Let the Ingress, or a proxy in front of it, authenticate clients."),
        new(["container.streamlitSecrets"], config => config.Container.StreamlitSecrets,
            _ => "st.secrets is empty, because ECS has no secrets in files: read os.environ, or let the entrypoint write the file.",
            _ => "st.secrets is empty. Add a secrets.toml to the Secret, mount it, and set STREAMLIT_SECRETS_FILES to its path."),
        new(["update.every", "update.when", "update.idleAfter", "update.waitAtMost"], _ => true,
            config => "Nothing looks for a newer image. Add to the workflow that pushes it: aws ecs update-service --cluster … "
                + $"--service {ResourceNames.ForEcs(config.Container.Name)} --force-new-deployment. The swap doesn't wait for open sessions.",
            config => "Nothing looks for a newer image. Add to the workflow that pushes it: "
                + $"kubectl rollout restart deployment/{ResourceNames.ForKubernetes(config.Container.Name)}. The swap doesn't wait for open sessions."),
        new(["update.watch"], _ => true,
            _ => "The circuit breaker rolls back a deployment that doesn't become healthy. An image that fails later stays, and none is quarantined.",
            config => "A rollout that doesn't become ready stops; with start-first, the old pod keeps serving. "
                + $"To roll back, run: kubectl rollout undo deployment/{ResourceNames.ForKubernetes(config.Container.Name)}."),
        new(["update.boot"], config => config.Update.Boot != UpdateBoot.Latest,
            _ => "Fargate caches no images: every task pulls.",
            _ => "A node may have the image cached, but each start of the pod resolves the tag at the registry."),
        new(["page", "update.hold"], _ => true,
            _ => "While the app starts, fails or is replaced, clients get the load balancer's 503: no status page, and no request waits.",
            _ => "While the app starts, fails or is replaced, clients get an error of the Ingress: no status page, and no request waits."),
        new(["health.gate"], config => config.Health.Gate is not { Path: null, WebSocket: null },
            _ => "Nothing tries a page or a WebSocket before clients reach the app.",
            _ => "Nothing tries a page or a WebSocket before clients reach the app."),
        new(["restart"], config => config.Restart != new RestartConfig(),
            _ => "ECS restarts a task that ended, with its own delays.",
            _ => "Kubernetes restarts a container that ended at once, then after 10 s, doubling to 5 minutes. 10 minutes without a crash reset the delay."),
        new(["listen.https", "tls"], config => config.Listen.Https is not null || config.Tls != new TlsConfig(),
            config => $"HTTPS ends at the load balancer: give it a listener on port {config.Listen.Https ?? 443} with an ACM certificate, "
                + $"which renews automatically. The listener on port {config.Listen.Http} can redirect there.",
            _ => "HTTPS ends at the Ingress: give it the certificate, for example with cert-manager."),
        new(["dns"], config => config.Dns is not null,
            config => "First remove dns from /etc/ragagent.json, or this machine points the name back at itself. "
                + $"Then point {config.Dns!.Name} at the load balancer with a permanent alias record.",
            config => "First remove dns from /etc/ragagent.json, or this machine points the name back at itself. "
                + $"Then point {config.Dns!.Name} at the Ingress with a permanent record."),
        new(["idle"], config => config.Idle is not null,
            _ => "Nothing stops automatically, and a running task costs money. "
                + "A scheduled action of Application Auto Scaling can set the number of tasks to 0 at night.",
            _ => "Nothing stops automatically. A CronJob, or KEDA, can scale the Deployment to 0."),
    ];

    public static void AddRemarks(AgentConfig config, ExportTarget target, ExportNotes notes)
    {
        foreach (var gap in Gaps.Where(gap => gap.AppliesTo(config)))
        {
            notes.AddRemark(new Remark(gap.Keys, (target == ExportTarget.Ecs ? gap.OnEcs : gap.OnKubernetes)(config)));
        }
    }
}
