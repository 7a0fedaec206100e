using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>Binds the whole file. The smallest sections are bound here, the others by a binder of their own.</summary>
internal static class ConfigBinder
{
    private const string ImageExpected = "an image like \"ragstream-web\"";
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <returns>Meaningful only if no errors were added.</returns>
    public static AgentConfig Bind(ObjectNode root, ConfigErrors errors)
    {
        var file = new ConfigSection(root, "", KnownKeys.Root, errors);
        file.Read("$schema", "", ValueParsers.String("a string", _ => null));
        var containerSection = file.Child("container");
        var container = ContainerBinder.Bind(containerSection, errors);
        var secrets = SecretsBinder.Bind(file, container, errors);
        StreamlitSecretsRules.Check(file, containerSection, container, secrets);
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
            file.AddError("image", "is missing; set the image to run, like \"image\": \"ragstream-web\"");
        }

        return file.Read("image", "", (ConfigNode node, out string value) =>
        {
            var problem = ValueParsers.String(ImageExpected, ImageReferenceRule.Validate)(node, out value);
            return node is NullNode ? ErrorMessages.WrongType(ImageExpected, node, "this key has no default") : problem;
        });
    }

    private static AwsConfig BindAws(ConfigSection section) => new()
    {
        Region = section.Read(
            "region",
            null,
            ValueParsers.OrNull(ValueParsers.String("a region like \"eu-central-1\" or null", NameRules.ValidateRegion))),
    };

    private static RestartConfig BindRestart(ConfigSection section)
    {
        var defaults = new RestartConfig();
        var minDelay = TimeSpan.FromMilliseconds(100);
        var maxFirstDelay = TimeSpan.FromHours(1);
        var firstDelay = section.Read("firstDelay", defaults.FirstDelay, ValueParsers.DurationBetween(minDelay, maxFirstDelay, "1s"));
        var maxDelay = section.Read("maxDelay", defaults.MaxDelay, ValueParsers.DurationBetween(minDelay, Day, "2m"));
        if (section.AreValid("firstDelay", "maxDelay") && maxDelay < firstDelay)
        {
            var (first, max) = (Duration.Format(firstDelay), Duration.Format(maxDelay));
            if (section.Has("maxDelay"))
            {
                section.AddError("maxDelay", ErrorMessages.Must($"be at least restart.firstDelay ({first})", Quoting.Value(max)));
            }
            else
            {
                section.AddError(
                    "firstDelay",
                    ErrorMessages.Must($"be at most restart.maxDelay ({max} by default)", Quoting.Value(first), "set restart.maxDelay too"));
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
        var swap = section.Read(
            "swap",
            defaults.Swap,
            ValueParsers.OneOf(("auto", UpdateSwap.Auto), ("start-first", UpdateSwap.StartFirst), ("stop-first", UpdateSwap.StopFirst)));
        if (swap == UpdateSwap.StartFirst && container.HasWritableVolumes)
        {
            section.AddError(
                "swap",
                "can't be \"start-first\" while container.volumes has a writable volume: two containers would write to it at the same time; "
                + "use \"auto\", or set \"readOnly\": true");
        }

        return new UpdateConfig
        {
            Boot = section.Read("boot", defaults.Boot, ValueParsers.OneOf(("latest", UpdateBoot.Latest), ("cached", UpdateBoot.Cached))),
            Swap = swap,
            Watch = section.Read("watch", defaults.Watch, ValueParsers.DurationBetween(TimeSpan.FromSeconds(1), Day, "10m")),
            Every = section.Read(
                "every",
                defaults.Every,
                ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "5m"))),
            When = section.Read("when", defaults.When, ValueParsers.OneOf(("idle", UpdateWhen.Idle), ("now", UpdateWhen.Now))),
            IdleAfter = section.Read("idleAfter", defaults.IdleAfter, ValueParsers.DurationBetween(TimeSpan.FromSeconds(1), Day, "15m")),
            WaitAtMost = section.Read(
                "waitAtMost", defaults.WaitAtMost, ValueParsers.DurationBetween(TimeSpan.FromMinutes(1), TimeSpan.FromDays(30), "24h")),
            Drain = section.Read("drain", defaults.Drain, ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromHours(1), "30s")),
            Hold = section.Read("hold", defaults.Hold, ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromMinutes(5), "30s")),
        };
    }
}
