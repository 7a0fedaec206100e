using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>container</c> section.</summary>
internal static class ContainerBinder
{
    // The engine's minimum, and more cores than any instance has.
    private const double MinCpus = 0.01;
    private const double MaxCpus = 1024;

    public static ContainerConfig Bind(ConfigSection section, ConfigErrors errors)
    {
        var defaults = new ContainerConfig();
        var cpus = ValueParsers.Number(MinCpus, MaxCpus, "a number of cores like 1.5, or null");
        var user = ValueParsers.String("a user like \"1000:1000\", or null", NameRules.ValidateUser);
        return new ContainerConfig
        {
            Name = section.Read("name", defaults.Name, ValueParsers.String("a name like \"ragstream\"", NameRules.ValidateContainerName)),
            Port = section.Read("port", defaults.Port, ValueParsers.Port(defaults.Port)),
            Memory = section.Read("memory", defaults.Memory, ValueParsers.OrNull<long>(ValueParsers.MemorySize)),
            Cpus = section.Read("cpus", defaults.Cpus, ValueParsers.OrNull(cpus)),
            User = section.Read("user", defaults.User, ValueParsers.OrNull(user)),
            ReadOnlyRoot = section.Read<bool>("readOnlyRoot", defaults.ReadOnlyRoot, ValueParsers.Boolean),
            StreamlitSecrets = section.Read<bool>("streamlitSecrets", defaults.StreamlitSecrets, ValueParsers.Boolean),
            Volumes = VolumesBinder.Bind(section, errors),
            StopTimeout = section.Read(
                "stopTimeout",
                defaults.StopTimeout,
                ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromMinutes(10), "20s")),
        };
    }
}
