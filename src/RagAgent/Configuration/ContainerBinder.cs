namespace RagAgent.Configuration;

/// <summary>The <c>container</c> section.</summary>
internal static class ContainerBinder
{
    /// <summary>The engine's smallest share and more cores than any instance has.</summary>
    private const double LeastCpus = 0.01;
    private const double MostCpus = 1024;

    public static ContainerConfig Bind(Section section, Findings findings)
    {
        var defaults = new ContainerConfig();
        return new ContainerConfig
        {
            Name = section.Read("name", defaults.Name, Kinds.Text("a name like \"ragstream\"", NameRules.ContainerName)),
            Port = section.Read("port", defaults.Port, Kinds.Port(defaults.Port)),
            Memory = section.Read("memory", defaults.Memory, Kinds.OrNull<long>(Kinds.Size)),
            Cpus = section.Read("cpus", defaults.Cpus, Kinds.OrNull(Kinds.Number(LeastCpus, MostCpus, "a number of cores like 1.5, or null"))),
            User = section.Read("user", defaults.User, Kinds.OrNull(Kinds.Text("a user like \"1000:1000\", or null", NameRules.User))),
            ReadOnlyRoot = section.Read<bool>("readOnlyRoot", defaults.ReadOnlyRoot, Kinds.Flag),
            Volumes = VolumesBinder.Bind(section, findings),
            StopTimeout = section.Read("stopTimeout", defaults.StopTimeout, Kinds.Span(TimeSpan.Zero, TimeSpan.FromMinutes(10), "20s")),
        };
    }
}
