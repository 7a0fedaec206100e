namespace RagAgent.Configuration;

/// <summary>The file as a whole: its sections in their order, and the small ones themselves.</summary>
internal static class ConfigBinder
{
    private const string ImageExpected = "an image like \"ragstream-web\"";
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <summary>What the file says; of use only when nothing was found wrong.</summary>
    public static AgentConfig Bind(ObjectNode root, Findings findings)
    {
        var file = new Section(root, "", KnownKeys.File, findings);
        file.Read("$schema", "", Kinds.Text("a text", _ => null));
        IReadOnlyDictionary<string, SecretConfig> secrets = SecretsBinder.Bind(file, findings);
        ContainerConfig container = ContainerBinder.Bind(file.Child("container"), findings);
        (ListenConfig listen, TlsConfig tls) = FrontDoorBinder.Bind(file);
        return new AgentConfig
        {
            Image = Image(file),
            Aws = Aws(file.Child("aws")),
            Secrets = secrets,
            Environment = EnvironmentBinder.Bind(file, findings),
            Container = container,
            Listen = listen,
            Tls = tls,
            Page = PageBinder.Bind(file.Child("page")),
            Access = AccessBinder.Bind(file, findings),
            Health = HealthBinder.Bind(file.Child("health"), listen.BasePath),
            Restart = Restart(file.Child("restart")),
            Update = Update(file.Child("update"), container),
            Dns = DnsBinder.Bind(file),
            Idle = IdleBinder.Bind(file),
        };
    }

    private static string Image(Section file)
    {
        if (!file.Has("image")) file.Refuse("image", $"is missing; say which image to run, like \"image\": \"ragstream-web\"");
        return file.Read("image", "", (ConfigNode node, out string value) =>
        {
            string? problem = Kinds.Text(ImageExpected, ImageRule.Rule)(node, out value);
            return node is NullNode ? Say.WrongType(ImageExpected, node, "this key has no default") : problem;
        });
    }

    private static AwsConfig Aws(Section section) => new()
    {
        Region = section.Read("region", null, Kinds.OrNull(Kinds.Text("a region like \"eu-central-1\" or null", NameRules.Region))),
    };

    private static RestartConfig Restart(Section section)
    {
        var defaults = new RestartConfig();
        TimeSpan first = section.Read("firstDelay", defaults.FirstDelay, Kinds.Span(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), "1s"));
        TimeSpan most = section.Read("maxDelay", defaults.MaxDelay, Kinds.Span(TimeSpan.FromMilliseconds(100), Day, "2m"));
        if (section.AreSound("firstDelay", "maxDelay") && most < first)
        {
            (string shortest, string longest) = (Duration.Format(first), Duration.Format(most));
            if (section.Has("maxDelay"))
                section.Refuse("maxDelay", Say.Must($"be at least restart.firstDelay ({shortest})", Shown.Text(longest)));
            else
                section.Refuse("firstDelay", Say.Must($"be at most restart.maxDelay ({longest} by default)", Shown.Text(shortest), "set restart.maxDelay as well"));
        }

        return new RestartConfig
        {
            FirstDelay = first,
            MaxDelay = most,
            ResetAfter = section.Read("resetAfter", defaults.ResetAfter, Kinds.Span(TimeSpan.FromSeconds(1), Day, "5m")),
        };
    }

    private static UpdateConfig Update(Section section, ContainerConfig container)
    {
        var defaults = new UpdateConfig();
        UpdateSwap swap = section.Read("swap", defaults.Swap, Kinds.Choice(("auto", UpdateSwap.Auto), ("start-first", UpdateSwap.StartFirst), ("stop-first", UpdateSwap.StopFirst)));
        if (swap == UpdateSwap.StartFirst && container.HasWritableVolumes)
            section.Refuse("swap", "can't be \"start-first\" while container.volumes has a volume that the app may write to: two containers would write to it at once; use \"auto\", or set \"readOnly\": true");
        return new UpdateConfig
        {
            Boot = section.Read("boot", defaults.Boot, Kinds.Choice(("latest", UpdateBoot.Latest), ("cached", UpdateBoot.Cached))),
            Swap = swap,
            Watch = section.Read("watch", defaults.Watch, Kinds.Span(TimeSpan.FromSeconds(1), Day, "10m")),
            Every = section.Read("every", defaults.Every, Kinds.OrNull(Kinds.Span(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "5m"))),
            When = section.Read("when", defaults.When, Kinds.Choice(("idle", UpdateWhen.Idle), ("now", UpdateWhen.Now))),
            Drain = section.Read("drain", defaults.Drain, Kinds.Span(TimeSpan.Zero, TimeSpan.FromHours(1), "30s")),
            Hold = section.Read("hold", defaults.Hold, Kinds.Span(TimeSpan.Zero, TimeSpan.FromMinutes(5), "30s")),
        };
    }
}
