using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The file as a whole: its sections in their order, and the small ones themselves.</summary>
internal static class ConfigBinder
{
    private const string ImageExpected = "an image like \"ragstream-web\"";
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <summary>What the file says; of use only when nothing was found wrong.</summary>
    public static AgentConfig Bind(ObjectNode root, ConfigErrors errors)
    {
        var file = new ConfigSection(root, "", KnownKeys.Root, errors);
        file.Read("$schema", "", ValueParsers.String("a text", _ => null));
        var secrets = SecretsBinder.Bind(file, errors);
        var container = ContainerBinder.Bind(file.Child("container"), errors);
        (var listen, var tls) = FrontDoorBinder.Bind(file);
        return new AgentConfig
        {
            Image = BindImage(file),
            Aws = BindAws(file.Child("aws")),
            Secrets = secrets,
            Environment = EnvironmentBinder.Bind(file, errors),
            Container = container,
            Listen = listen,
            Tls = tls,
            Page = PageBinder.Bind(file.Child("page")),
            Access = AccessBinder.Bind(file, errors),
            Health = HealthBinder.Bind(file.Child("health"), listen.BasePath),
            Restart = BindRestart(file.Child("restart")),
            Update = BindUpdate(file.Child("update"), container),
            Dns = DnsBinder.Bind(file),
            Idle = IdleBinder.Bind(file),
        };
    }

    private static string BindImage(ConfigSection file)
    {
        if (!file.Has("image"))
        {
            file.AddError("image", $"is missing; say which image to run, like \"image\": \"ragstream-web\"");
        }

        return file.Read("image", "", (ConfigNode node, out string value) =>
        {
            var problem = ValueParsers.String(ImageExpected, ImageReferenceRule.Validate)(node, out value);
            return node is NullNode ? ErrorMessages.WrongType(ImageExpected, node, "this key has no default") : problem;
        });
    }

    private static AwsConfig BindAws(ConfigSection section) => new()
    {
        Region = section.Read("region", null, ValueParsers.OrNull(ValueParsers.String("a region like \"eu-central-1\" or null", NameRules.ValidateRegion))),
    };

    private static RestartConfig BindRestart(ConfigSection section)
    {
        var defaults = new RestartConfig();
        var firstDelay = section.Read("firstDelay", defaults.FirstDelay, ValueParsers.DurationBetween(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), "1s"));
        var maxDelay = section.Read("maxDelay", defaults.MaxDelay, ValueParsers.DurationBetween(TimeSpan.FromMilliseconds(100), Day, "2m"));
        if (section.AreValid("firstDelay", "maxDelay") && maxDelay < firstDelay)
        {
            (var shortest, var longest) = (Duration.Format(firstDelay), Duration.Format(maxDelay));
            if (section.Has("maxDelay"))
            {
                section.AddError("maxDelay", ErrorMessages.Must($"be at least restart.firstDelay ({shortest})", Quoting.Value(longest)));
            }
            else
            {
                section.AddError("firstDelay", ErrorMessages.Must($"be at most restart.maxDelay ({longest} by default)", Quoting.Value(shortest), "set restart.maxDelay as well"));
            }
        }

        return new RestartConfig
        {
            FirstDelay = firstDelay,
            MaxDelay = maxDelay,
            ResetAfter = section.Read("resetAfter", defaults.ResetAfter, ValueParsers.DurationBetween(TimeSpan.FromSeconds(1), Day, "5m")),
        };
    }

    private static UpdateConfig BindUpdate(ConfigSection section, ContainerConfig container)
    {
        var defaults = new UpdateConfig();
        var swap = section.Read("swap", defaults.Swap, ValueParsers.OneOf(("auto", UpdateSwap.Auto), ("start-first", UpdateSwap.StartFirst), ("stop-first", UpdateSwap.StopFirst)));
        if (swap == UpdateSwap.StartFirst && container.HasWritableVolumes)
        {
            section.AddError("swap", "can't be \"start-first\" while container.volumes has a volume that the app may write to: two containers would write to it at once; use \"auto\", or set \"readOnly\": true");
        }

        return new UpdateConfig
        {
            Boot = section.Read("boot", defaults.Boot, ValueParsers.OneOf(("latest", UpdateBoot.Latest), ("cached", UpdateBoot.Cached))),
            Swap = swap,
            Watch = section.Read("watch", defaults.Watch, ValueParsers.DurationBetween(TimeSpan.FromSeconds(1), Day, "10m")),
            Every = section.Read("every", defaults.Every, ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "5m"))),
            When = section.Read("when", defaults.When, ValueParsers.OneOf(("idle", UpdateWhen.Idle), ("now", UpdateWhen.Now))),
            Drain = section.Read("drain", defaults.Drain, ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromHours(1), "30s")),
            Hold = section.Read("hold", defaults.Hold, ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromMinutes(5), "30s")),
        };
    }
}
