using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>idle</c> section.</summary>
internal static class IdleBinder
{
    private static readonly TimeSpan Month = TimeSpan.FromHours(720);

    /// <returns>Null: the instance never stops itself.</returns>
    public static IdleConfig? Bind(ConfigSection file)
    {
        if (!file.Has("idle") || file.IsNull("idle"))
        {
            return null;
        }

        var section = file.Child("idle");
        var defaults = new IdleConfig();
        var stopAfter = ValueParsers.DurationBetween(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "60m");
        var maxUptime = ValueParsers.DurationBetween(TimeSpan.FromMinutes(10), Month, "12h");
        var idle = new IdleConfig
        {
            StopAfter = section.Read("stopAfter", defaults.StopAfter, ValueParsers.OrNull(stopAfter)),
            Grace = section.Read("grace", defaults.Grace, ValueParsers.DurationBetween(TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), "30m")),
            MaxUptime = section.Read("maxUptime", defaults.MaxUptime, ValueParsers.OrNull(maxUptime)),
        };
        if (!section.AreValid("stopAfter", "grace", "maxUptime"))
        {
            return idle;
        }

        if (idle is { StopAfter: null, MaxUptime: null })
        {
            section.AddError(
                "stopAfter",
                "can't be null while idle.maxUptime is null too: nothing would ever stop the instance; set one of them, or set idle to null");
        }

        if (idle is { StopAfter: not null, MaxUptime: { } limit } && limit <= idle.Grace)
        {
            var grace = Duration.Format(idle.Grace) + (section.Has("grace") ? "" : " by default");
            section.AddError("maxUptime", ErrorMessages.Must($"be longer than idle.grace ({grace})", Quoting.Value(Duration.Format(limit))));
        }

        return idle;
    }
}
