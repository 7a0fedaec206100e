using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>Reads the section <c>idle</c>.</summary>
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
        var idle = new IdleConfig
        {
            StopAfter = section.Read("stopAfter", defaults.StopAfter, ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "60m"))),
            Grace = section.Read("grace", defaults.Grace, ValueParsers.DurationBetween(TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), "30m")),
            MaxUptime = section.Read("maxUptime", defaults.MaxUptime, ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.FromMinutes(10), Month, "12h"))),
        };
        if (!section.AreValid("stopAfter", "grace", "maxUptime"))
        {
            return idle;
        }

        if (idle is { StopAfter: null, MaxUptime: null })
        {
            section.AddError("stopAfter", "can't be null while idle.maxUptime is: nothing would ever stop the instance; set one of them, or idle to null");
        }

        if (idle is { StopAfter: not null, MaxUptime: { } maxUptime } && maxUptime <= idle.Grace)
        {
            section.AddError("maxUptime", ErrorMessages.Must($"be longer than idle.grace ({Duration.Format(idle.Grace)}{(section.Has("grace") ? "" : " by default")})", Quoting.Value(Duration.Format(maxUptime))));
        }

        return idle;
    }
}
