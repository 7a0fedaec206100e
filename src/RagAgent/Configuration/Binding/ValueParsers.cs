using System.Globalization;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The kinds of values that the file has, each with what is said when something else stands there.</summary>
internal static class ValueParsers
{
    public static string? Object(ConfigNode node, out ObjectNode? value)
    {
        value = node as ObjectNode;
        return value is null ? ErrorMessages.WrongType("an object { … }", node) : null;
    }

    public static string? Array(ConfigNode node, out ArrayNode? value)
    {
        value = node as ArrayNode;
        return value is null ? ErrorMessages.WrongType("a list [ … ]", node) : null;
    }

    public static string? Boolean(ConfigNode node, out bool value)
    {
        value = node is BooleanNode { Value: true };
        if (node is BooleanNode)
        {
            return null;
        }

        return ErrorMessages.WrongType("true or false", node, node is StringNode { Value: "true" or "false" } ? "leave the quotes away" : null);
    }

    /// <param name="expected">With an example: <c>a path like "/health"</c>.</param>
    /// <param name="rule">What is wrong with a text, or null.</param>
    /// <param name="secret">The value is never shown.</param>
    public static ValueParser<string> String(string expected, Func<string, RuleViolation?> rule, bool secret = false) => (ConfigNode node, out string value) =>
    {
        value = (node as StringNode)?.Value ?? "";
        if (node is StringNode)
        {
            return rule(value) is { } violation ? ErrorMessages.Must(violation.Requirement, secret ? null : Quoting.Value(value), violation.Hint) : null;
        }

        return ErrorMessages.WrongType(expected, node, node is NumberNode && !secret ? "write it in double quotes" : null);
    };

    public static ValueParser<int> Integer(int min, int max, string expected) => (ConfigNode node, out int value) =>
    {
        value = 0;
        var quoted = node is StringNode text && int.TryParse(text.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number)
        {
            return ErrorMessages.WrongType(expected, node, quoted ? "leave the quotes away" : null);
        }

        if (int.TryParse(number.Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= min && value <= max)
        {
            return null;
        }

        return ErrorMessages.Must($"be a whole number from {min} to {max}", Shorten(number));
    };

    public static ValueParser<int> Port(int example) => Integer(1, 65535, $"a port like {example}");

    public static ValueParser<double> Number(double min, double max, string expected) => (ConfigNode node, out double value) =>
    {
        value = 0;
        var quoted = node is StringNode text && double.TryParse(text.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number)
        {
            return ErrorMessages.WrongType(expected, node, quoted ? "leave the quotes away" : null);
        }

        if (double.TryParse(number.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= min && value <= max)
        {
            return null;
        }

        return ErrorMessages.Must(string.Create(CultureInfo.InvariantCulture, $"be a number from {min} to {max}"), Shorten(number));
    };

    public static ValueParser<TimeSpan> DurationBetween(TimeSpan min, TimeSpan max, string example) => (ConfigNode node, out TimeSpan value) =>
    {
        value = default;
        var expected = $"a duration like \"{example}\"";
        if (node is NumberNode number)
        {
            return ErrorMessages.WrongType(expected, node, $"write \"{(Duration.IsPlainNumber(number.Raw) ? number.Raw + "s" : example)}\"");
        }

        if (node is not StringNode text)
        {
            return ErrorMessages.WrongType(expected, node);
        }

        if (!Duration.TryParse(text.Value, out value))
        {
            return ErrorMessages.Must($"be {expected}", Quoting.Value(text.Value), Duration.IsPlainNumber(text.Value) ? $"write \"{text.Value}s\"" : Duration.FormatHelp);
        }

        if (value >= min && value <= max)
        {
            return null;
        }

        return ErrorMessages.Must($"be from {Duration.Format(min)} to {Duration.Format(max)}", Quoting.Value(text.Value));
    };

    public static string? MemorySize(ConfigNode node, out long value)
    {
        const string Expected = "a size like \"512m\" or \"4g\"";
        value = 0;
        if (node is NumberNode number && !long.TryParse(number.Raw, NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            return ErrorMessages.Must("be a whole number of bytes", Shorten(number), "or write a text like \"512m\"");
        }

        if (node is StringNode text && !ByteSize.TryParse(text.Value, out value))
        {
            return ErrorMessages.Must($"be {Expected}", Quoting.Value(text.Value), Duration.IsPlainNumber(text.Value) ? $"write \"{text.Value}m\"" : ByteSize.FormatHelp);
        }

        if (node is not (NumberNode or StringNode))
        {
            return ErrorMessages.WrongType(Expected, node);
        }

        if (value is >= ByteSize.Min and <= ByteSize.Max)
        {
            return null;
        }

        return ErrorMessages.Must("be from 6m (the engine's minimum) to 16t", node is StringNode shown ? Quoting.Value(shown.Value) : $"{value} bytes");
    }

    public static ValueParser<T> OneOf<T>(params (string Word, T Meaning)[] choices) => (ConfigNode node, out T value) =>
    {
        value = choices[0].Meaning;
        var expected = string.Join(" or ", choices.Select(choice => $"\"{choice.Word}\""));
        if (node is not StringNode text)
        {
            return ErrorMessages.WrongType(expected, node);
        }

        foreach ((var word, var meaning) in choices)
        {
            value = meaning;
            if (word == text.Value)
            {
                return null;
            }
        }

        var nearest = Suggestion.Nearest(text.Value, choices.Select(choice => choice.Word));
        return ErrorMessages.Must($"be {expected}", Quoting.Value(text.Value), nearest is null ? null : $"did you mean \"{nearest}\"?");
    };

    public static ValueParser<T?> OrNull<T>(ValueParser<T> parser) where T : struct => (ConfigNode node, out T? value) =>
    {
        value = null;
        if (node is NullNode)
        {
            return null;
        }

        var problem = parser(node, out var read);
        value = read;
        return problem;
    };

    public static ValueParser<string?> OrNull(ValueParser<string> parser) => (ConfigNode node, out string? value) =>
    {
        value = null;
        return node is NullNode ? null : parser(node, out value);
    };

    private static string Shorten(NumberNode number) => number.Raw.Length <= 20 ? number.Raw : number.Raw[..20] + "…";
}
