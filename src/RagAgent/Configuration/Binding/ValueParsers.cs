using System.Globalization;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>Turns a node into a value.</summary>
/// <returns>Null, or what is wrong with the node.</returns>
internal delegate string? ValueParser<T>(ConfigNode node, out T value);

/// <summary>Parsers for the types of values in the file.</summary>
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

        var isQuoted = node is StringNode { Value: "true" or "false" };
        return ErrorMessages.WrongType("a boolean (true or false)", node, isQuoted ? "remove the quotes" : null);
    }

    /// <param name="expected">A description with an example: <c>a path like "/health"</c>.</param>
    /// <param name="rule">Returns null for valid strings.</param>
    /// <param name="secret">Messages never show the value.</param>
    public static ValueParser<string> String(string expected, Func<string, RuleViolation?> rule, bool secret = false) =>
        (ConfigNode node, out string value) =>
    {
        value = (node as StringNode)?.Value ?? "";
        if (node is StringNode)
        {
            return rule(value) is { } violation
                ? ErrorMessages.Must(violation.Requirement, secret ? null : Quoting.Value(value), violation.Hint)
                : null;
        }

        return ErrorMessages.WrongType(expected, node, node is NumberNode && !secret ? "put it in double quotes" : null);
    };

    public static ValueParser<int> Integer(int min, int max, string expected) => (ConfigNode node, out int value) =>
    {
        value = 0;
        var isQuoted = node is StringNode text && int.TryParse(text.Value, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number)
        {
            return ErrorMessages.WrongType(expected, node, isQuoted ? "remove the quotes" : null);
        }

        var isInteger = int.TryParse(number.Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        if (isInteger && value >= min && value <= max)
        {
            return null;
        }

        return ErrorMessages.Must($"be a whole number from {min} to {max}", Shorten(number));
    };

    public static ValueParser<int> Port(int example) => Integer(1, 65535, $"a port like {example}");

    public static ValueParser<double> Number(double min, double max, string expected) => (ConfigNode node, out double value) =>
    {
        value = 0;
        var isQuoted = node is StringNode text
            && double.TryParse(text.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        if (node is not NumberNode number)
        {
            return ErrorMessages.WrongType(expected, node, isQuoted ? "remove the quotes" : null);
        }

        if (double.TryParse(number.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= min && value <= max)
        {
            return null;
        }

        return ErrorMessages.Must(string.Create(CultureInfo.InvariantCulture, $"be a number from {min} to {max}"), Shorten(number));
    };

    public static ValueParser<TimeSpan> DurationBetween(TimeSpan min, TimeSpan max, string example) =>
        (ConfigNode node, out TimeSpan value) =>
    {
        value = default;
        var expected = $"a duration like \"{example}\"";
        if (node is NumberNode number)
        {
            var suggestion = Duration.IsPlainNumber(number.Raw) ? number.Raw + "s" : example;
            return ErrorMessages.WrongType(expected, node, $"write \"{suggestion}\"");
        }

        if (node is not StringNode text)
        {
            return ErrorMessages.WrongType(expected, node);
        }

        if (!Duration.TryParse(text.Value, out value))
        {
            var hint = Duration.IsPlainNumber(text.Value) ? $"write \"{text.Value}s\"" : Duration.FormatHelp;
            return ErrorMessages.Must($"be {expected}", Quoting.Value(text.Value), hint);
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
            return ErrorMessages.Must("be a whole number of bytes", Shorten(number), "or use a string like \"512m\"");
        }

        if (node is StringNode text && !ByteSize.TryParse(text.Value, out value))
        {
            var hint = Duration.IsPlainNumber(text.Value) ? $"write \"{text.Value}m\"" : ByteSize.FormatHelp;
            return ErrorMessages.Must($"be {Expected}", Quoting.Value(text.Value), hint);
        }

        if (node is not (NumberNode or StringNode))
        {
            return ErrorMessages.WrongType(Expected, node);
        }

        if (value is >= ByteSize.Min and <= ByteSize.Max)
        {
            return null;
        }

        var found = node is StringNode size ? Quoting.Value(size.Value) : $"{value} bytes";
        return ErrorMessages.Must("be from 6m (the engine's minimum) to 16t", found);
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

    /// <summary>A word that leaves the decision to the agent, read as null, or a boolean.</summary>
    public static ValueParser<bool?> BooleanOr(string word) => (ConfigNode node, out bool? value) =>
    {
        value = (node as BooleanNode)?.Value;
        return node switch
        {
            BooleanNode => null,
            StringNode text when text.Value == word => null,
            StringNode { Value: "true" or "false" } => ErrorMessages.WrongType($"\"{word}\", true or false", node, "remove the quotes"),
            StringNode text => ErrorMessages.Must($"be \"{word}\", true or false", Quoting.Value(text.Value)),
            _ => ErrorMessages.WrongType($"\"{word}\", true or false", node),
        };
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
