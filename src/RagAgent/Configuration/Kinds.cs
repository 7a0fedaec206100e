using System.Globalization;

namespace RagAgent.Configuration;

/// <summary>The kinds of values that the file has, each with what is said when something else stands there.</summary>
internal static class Kinds
{
    public static string? Object(ConfigNode node, out ObjectNode? value)
    {
        value = node as ObjectNode;
        return value is null ? Say.WrongType("an object { … }", node) : null;
    }

    public static string? List(ConfigNode node, out ListNode? value)
    {
        value = node as ListNode;
        return value is null ? Say.WrongType("a list [ … ]", node) : null;
    }

    public static string? Flag(ConfigNode node, out bool value)
    {
        value = node is FlagNode { Value: true };
        if (node is FlagNode) return null;
        return Say.WrongType("true or false", node, node is TextNode { Value: "true" or "false" } ? "leave the quotes away" : null);
    }

    /// <param name="expected">With an example: <c>a path like "/health"</c>.</param>
    /// <param name="rule">What is wrong with a text, or null.</param>
    /// <param name="secret">The value is never shown.</param>
    public static Kind<string> Text(string expected, Func<string, Refusal?> rule, bool secret = false) => (ConfigNode node, out string value) =>
    {
        value = (node as TextNode)?.Value ?? "";
        if (node is TextNode)
            return rule(value) is { } refusal ? Say.Must(refusal.Must, secret ? null : Shown.Text(value), refusal.Hint) : null;
        return Say.WrongType(expected, node, node is NumberNode && !secret ? "write it in double quotes" : null);
    };

    public static Kind<int> Whole(int least, int most, string expected) => (ConfigNode node, out int value) =>
    {
        value = 0;
        bool quoted = node is TextNode text && int.TryParse(text.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number) return Say.WrongType(expected, node, quoted ? "leave the quotes away" : null);
        if (int.TryParse(number.Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least && value <= most)
            return null;
        return Say.Must($"be a whole number from {least} to {most}", Brief(number));
    };

    public static Kind<int> Port(int example) => Whole(1, 65535, $"a port like {example}");

    public static Kind<double> Number(double least, double most, string expected) => (ConfigNode node, out double value) =>
    {
        value = 0;
        bool quoted = node is TextNode text && double.TryParse(text.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number) return Say.WrongType(expected, node, quoted ? "leave the quotes away" : null);
        if (double.TryParse(number.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= least && value <= most)
            return null;
        return Say.Must(string.Create(CultureInfo.InvariantCulture, $"be a number from {least} to {most}"), Brief(number));
    };

    public static Kind<TimeSpan> Span(TimeSpan least, TimeSpan most, string example) => (ConfigNode node, out TimeSpan value) =>
    {
        value = default;
        var expected = $"a duration like \"{example}\"";
        if (node is NumberNode number) return Say.WrongType(expected, node, $"write \"{(Duration.IsAmount(number.Raw) ? number.Raw + "s" : example)}\"");
        if (node is not TextNode text) return Say.WrongType(expected, node);
        if (!Duration.TryParse(text.Value, out value))
            return Say.Must($"be {expected}", Shown.Text(text.Value), Duration.IsAmount(text.Value) ? $"write \"{text.Value}s\"" : Duration.Help);
        if (value >= least && value <= most) return null;
        return Say.Must($"be from {Duration.Format(least)} to {Duration.Format(most)}", Shown.Text(text.Value));
    };

    public static string? Size(ConfigNode node, out long value)
    {
        const string Expected = "a size like \"512m\" or \"4g\"";
        value = 0;
        if (node is NumberNode number && !long.TryParse(number.Raw, NumberStyles.None, CultureInfo.InvariantCulture, out value))
            return Say.Must("be a whole number of bytes", Brief(number), "or write a text like \"512m\"");
        if (node is TextNode text && !ByteSize.TryParse(text.Value, out value))
            return Say.Must($"be {Expected}", Shown.Text(text.Value), Duration.IsAmount(text.Value) ? $"write \"{text.Value}m\"" : ByteSize.Help);
        if (node is not (NumberNode or TextNode)) return Say.WrongType(Expected, node);
        if (value is >= ByteSize.Least and <= ByteSize.Most) return null;
        return Say.Must("be from 6m (the engine's minimum) to 16t", node is TextNode shown ? Shown.Text(shown.Value) : $"{value} bytes");
    }

    public static Kind<T> Choice<T>(params (string Word, T Meaning)[] choices) => (ConfigNode node, out T value) =>
    {
        value = choices[0].Meaning;
        string expected = string.Join(" or ", choices.Select(choice => $"\"{choice.Word}\""));
        if (node is not TextNode text) return Say.WrongType(expected, node);
        foreach ((string word, T meaning) in choices)
        {
            value = meaning;
            if (word == text.Value) return null;
        }

        string? near = Suggestion.Nearest(text.Value, choices.Select(choice => choice.Word));
        return Say.Must($"be {expected}", Shown.Text(text.Value), near is null ? null : $"did you mean \"{near}\"?");
    };

    public static Kind<T?> OrNull<T>(Kind<T> kind) where T : struct => (ConfigNode node, out T? value) =>
    {
        value = null;
        if (node is NullNode) return null;
        string? problem = kind(node, out T read);
        value = read;
        return problem;
    };

    public static Kind<string?> OrNull(Kind<string> kind) => (ConfigNode node, out string? value) =>
    {
        value = null;
        return node is NullNode ? null : kind(node, out value);
    };

    private static string Brief(NumberNode number) => number.Raw.Length <= 20 ? number.Raw : number.Raw[..20] + "…";
}
