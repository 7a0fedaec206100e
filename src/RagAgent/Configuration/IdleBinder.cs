namespace RagAgent.Configuration;

/// <summary>Reads the section <c>idle</c>.</summary>
internal static class IdleBinder
{
    private static readonly TimeSpan Month = TimeSpan.FromHours(720);

    /// <returns>Null: the instance never stops itself.</returns>
    public static IdleConfig? Bind(Section file)
    {
        if (!file.Has("idle") || file.IsNull("idle")) return null;
        Section section = file.Child("idle");
        var defaults = new IdleConfig();
        var idle = new IdleConfig
        {
            StopAfter = section.Read("stopAfter", defaults.StopAfter, Kinds.OrNull(Kinds.Span(TimeSpan.FromSeconds(10), TimeSpan.FromDays(7), "60m"))),
            Grace = section.Read("grace", defaults.Grace, Kinds.Span(TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), "30m")),
            MaxUptime = section.Read("maxUptime", defaults.MaxUptime, Kinds.OrNull(Kinds.Span(TimeSpan.FromMinutes(10), Month, "12h"))),
        };
        if (!section.AreSound("stopAfter", "grace", "maxUptime")) return idle;
        if (idle is { StopAfter: null, MaxUptime: null })
            section.Refuse("stopAfter", "can't be null while idle.maxUptime is: nothing would ever stop the instance; set one of them, or idle to null");
        if (idle is { StopAfter: not null, MaxUptime: { } most } && most <= idle.Grace)
            section.Refuse("maxUptime", Say.Must($"be longer than idle.grace ({Duration.Format(idle.Grace)}{(section.Has("grace") ? "" : " by default")})", Shown.Text(Duration.Format(most))));
        return idle;
    }
}
