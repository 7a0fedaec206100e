using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>health</c> section.</summary>
internal static class HealthBinder
{
    private const string PathExpected = "a path like \"/_stcore/health\"";
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MinTimeout = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MinGateTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxGateTimeout = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan MaxInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxDeadline = TimeSpan.FromHours(24);

    /// <param name="section">The section.</param>
    /// <param name="basePath">Prepended to the default paths; null: nothing. Paths that the file sets are used as they are.</param>
    public static HealthConfig Bind(ConfigSection section, string? basePath) => new()
    {
        Startup = BindStartup(section.Child("startup"), basePath),
        Gate = BindGate(section.Child("gate"), basePath),
        Liveness = BindLiveness(section.Child("liveness"), basePath),
    };

    private static StartupProbeConfig BindStartup(ConfigSection section, string? basePath)
    {
        var defaults = new StartupProbeConfig();
        var interval = section.Read("interval", defaults.Interval, ValueParsers.DurationBetween(MinInterval, MaxInterval, "2s"));
        var deadline = section.Read("deadline", defaults.Deadline, ValueParsers.DurationBetween(MinInterval, MaxDeadline, "10m"));
        if (section.AreValid("interval", "deadline") && deadline <= interval)
        {
            var (shorter, longer) = (Duration.Format(interval), Duration.Format(deadline));
            if (section.Has("deadline"))
            {
                section.AddError("deadline", ErrorMessages.Must($"be longer than health.startup.interval ({shorter})", Quoting.Value(longer)));
            }
            else
            {
                section.AddError(
                    "interval",
                    ErrorMessages.Must($"be shorter than health.startup.deadline ({longer} by default)", Quoting.Value(shorter)));
            }
        }

        return new StartupProbeConfig
        {
            Path = section.Read("path", basePath + defaults.Path, ValueParsers.String(PathExpected, PathRules.ValidateUrlPath)),
            Interval = interval,
            Timeout = section.Read("timeout", defaults.Timeout, ValueParsers.DurationBetween(MinTimeout, MaxTimeout, "5s")),
            Deadline = deadline,
        };
    }

    private static GateConfig BindGate(ConfigSection section, string? basePath)
    {
        var defaults = new GateConfig();
        var path = ValueParsers.String($"{PathExpected} or null", PathRules.ValidateUrlPath);
        var webSocket = ValueParsers.String("a path like \"/_stcore/stream\" or null", PathRules.ValidateUrlPath);
        return new GateConfig
        {
            Path = section.Read("path", WithBasePath(basePath, defaults.Path), ValueParsers.OrNull(path)),
            WebSocket = section.Read("webSocket", WithBasePath(basePath, defaults.WebSocket), ValueParsers.OrNull(webSocket)),
            Session = section.Read("session", defaults.Session, ValueParsers.BooleanOr("auto")),
            Timeout = section.Read("timeout", defaults.Timeout, ValueParsers.DurationBetween(MinGateTimeout, MaxGateTimeout, "3m")),
        };
    }

    private static LivenessProbeConfig BindLiveness(ConfigSection section, string? basePath)
    {
        var defaults = new LivenessProbeConfig();
        return new LivenessProbeConfig
        {
            Path = section.Read("path", basePath + defaults.Path, ValueParsers.String(PathExpected, PathRules.ValidateUrlPath)),
            Interval = section.Read("interval", defaults.Interval, ValueParsers.DurationBetween(MinInterval, MaxInterval, "15s")),
            Timeout = section.Read("timeout", defaults.Timeout, ValueParsers.DurationBetween(MinTimeout, MaxTimeout, "10s")),
            Failures = section.Read("failures", defaults.Failures, ValueParsers.Integer(1, 1000, "a whole number like 4")),
        };
    }

    private static string? WithBasePath(string? basePath, string? path) => path is null ? null : basePath + path;
}
