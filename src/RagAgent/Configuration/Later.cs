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
}
