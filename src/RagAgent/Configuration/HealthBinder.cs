namespace RagAgent.Configuration;

/// <summary>The <c>health</c> section.</summary>
internal static class HealthBinder
{
    private const string Path = "a path like \"/_stcore/health\"";
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestDeadline = TimeSpan.FromHours(24);

    /// <param name="section">The section.</param>
    /// <param name="basePath">Below which the app lives; null: at the root. The paths that nobody gives lie below it.</param>
    public static HealthConfig Bind(Section section, string? basePath) => new()
    {
        Startup = Startup(section.Child("startup"), basePath),
        Gate = Gate(section.Child("gate"), basePath),
        Liveness = Liveness(section.Child("liveness"), basePath),
    };

    private static StartupProbeConfig Startup(Section section, string? basePath)
    {
        var defaults = new StartupProbeConfig();
        TimeSpan interval = section.Read("interval", defaults.Interval, Kinds.Span(ShortestInterval, LongestInterval, "2s"));
        TimeSpan deadline = section.Read("deadline", defaults.Deadline, Kinds.Span(ShortestInterval, LongestDeadline, "10m"));
        if (section.AreSound("interval", "deadline") && deadline <= interval)
        {
            (string step, string end) = (Duration.Format(interval), Duration.Format(deadline));
            if (section.Has("deadline"))
                section.Refuse("deadline", Say.Must($"be longer than health.startup.interval ({step})", Shown.Text(end)));
            else
                section.Refuse("interval", Say.Must($"be shorter than health.startup.deadline ({end} by default)", Shown.Text(step)));
        }

        return new StartupProbeConfig
        {
            Path = section.Read("path", basePath + defaults.Path, Kinds.Text(Path, PathRules.Address)),
            Interval = interval,
            Timeout = section.Read("timeout", defaults.Timeout, Kinds.Span(ShortestTimeout, LongestTimeout, "5s")),
            Deadline = deadline,
        };
    }

    private static GateConfig Gate(Section section, string? basePath)
    {
        var defaults = new GateConfig();
        return new GateConfig
        {
            Path = section.Read("path", Below(basePath, defaults.Path), Kinds.OrNull(Kinds.Text($"{Path} or null", PathRules.Address))),
            WebSocket = section.Read("webSocket", Below(basePath, defaults.WebSocket), Kinds.OrNull(Kinds.Text("a path like \"/_stcore/stream\" or null", PathRules.Address))),
        };
    }

    private static LivenessProbeConfig Liveness(Section section, string? basePath)
    {
        var defaults = new LivenessProbeConfig();
        return new LivenessProbeConfig
        {
            Path = section.Read("path", basePath + defaults.Path, Kinds.Text(Path, PathRules.Address)),
            Interval = section.Read("interval", defaults.Interval, Kinds.Span(ShortestInterval, LongestInterval, "15s")),
            Timeout = section.Read("timeout", defaults.Timeout, Kinds.Span(ShortestTimeout, LongestTimeout, "10s")),
            Failures = section.Read("failures", defaults.Failures, Kinds.Whole(1, 1000, "a whole number like 4")),
        };
    }

    private static string? Below(string? basePath, string? path) => path is null ? null : basePath + path;
}
