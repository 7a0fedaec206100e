namespace RagAgent.Configuration;

/// <summary>Keys of the contract whose feature comes with a later version: accepted at their default, refused otherwise with that reason.</summary>
internal static class Later
{
    private static readonly string Version = typeof(Later).Assembly.GetName().Version?.ToString(3) ?? "unknown";

    /// <summary>A whole feature: only null is taken, whatever type it will have.</summary>
    /// <param name="expected">What it will be, for a value of no sense at all: <c>a port or null</c>.</param>
    /// <param name="fits">Whether a value will be accepted one day.</param>
    public static Kind<NullNode?> OnlyNull(string expected, Func<ConfigNode, bool> fits) => (ConfigNode node, out NullNode? value) =>
    {
        value = node as NullNode;
        if (value is not null) return null;
        return fits(node) ? $"is not supported by this version ({Version}); use null" : Say.WrongType(expected, node);
    };

    /// <summary>A choice of which only some words are taken today.</summary>
    public static Kind<string> Only(string[] today, params string[] later) => (ConfigNode node, out string value) =>
    {
        (string, string)[] all = [.. today.Concat(later).Select(word => (word, word))];
        string? problem = Kinds.Choice(all)(node, out value);
        return problem is null && later.Contains(value) ? NotYet(Shown.Text(value), Shown.Text(today[0])) : problem;
    };

    /// <summary>A duration of which only the default is taken today.</summary>
    public static Kind<TimeSpan> OnlySpan(TimeSpan only, TimeSpan least, TimeSpan most) => (ConfigNode node, out TimeSpan value) =>
    {
        string? problem = Kinds.Span(least, most, Duration.Format(only))(node, out value);
        return problem is null && value != only ? NotYet(Shown.Text(Duration.Format(value)), Shown.Text(Duration.Format(only))) : problem;
    };

    private static string NotYet(string found, string today) => $"{found} is not supported by this version ({Version}); use {today}";
}
