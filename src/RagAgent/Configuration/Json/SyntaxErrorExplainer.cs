using System.Text.Json;

namespace RagAgent.Configuration.Json;

/// <param name="Offset">In bytes, where the operator should look.</param>
/// <param name="Message">Quotes nothing from the file: what does not parse may be a secret.</param>
internal readonly record struct SyntaxError(int Offset, string Message);

/// <summary>Says in plain words why a text is no JSON, for the mistakes that people make by hand.</summary>
/// <remarks>It looks again at what follows the last good token, because the parser's own words name bytes and states.</remarks>
internal readonly ref struct SyntaxErrorExplainer(ReadOnlySpan<byte> text, LineMap lines, Stack<int> openBrackets)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private readonly LineMap _lines = lines;
    private readonly Stack<int> _openBrackets = openBrackets;

    /// <param name="from">Where the last good token ends.</param>
    /// <param name="last">Which one it was.</param>
    public SyntaxError Explain(int from, JsonTokenType last)
    {
        var offset = SyntaxScanner.SkipTrivia(_text, from, out var badComment);
        if (badComment is not null)
        {
            return new(offset, badComment);
        }

        var valueEnded = last is not (JsonTokenType.None or JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
        if (valueEnded && _openBrackets.Count > 0 && CharAt(offset) == ',')
        {
            valueEnded = false;
            offset = SyntaxScanner.SkipTrivia(_text, offset + 1, out badComment);
            if (badComment is not null)
            {
                return new(offset, badComment);
            }
        }

        if (offset >= _text.Length)
        {
            return ExplainUnexpectedEnd(offset);
        }

        if (ExplainCommonMistake(offset) is { } common)
        {
            return new(offset, common);
        }

        if (valueEnded)
        {
            return new(offset, _openBrackets.Count == 0 ? TrailingContent : ExplainAfterValue(offset));
        }

        var keyExpected = last != JsonTokenType.PropertyName && _openBrackets.Count > 0 && _text[_openBrackets.Peek()] == (byte)'{';
        return keyExpected ? ExplainMissingKey(offset) : ExplainMissingValue(offset, last);
    }

    private const string TrailingContent = "the configuration ended before this; remove what is left over, or a bracket that closes too early";
    private const string NeedsQuotes = "a text must stand in double quotes, like \"20s\"";

    private char CharAt(int offset) => offset < _text.Length ? (char)_text[offset] : '\0';

    private SyntaxError ExplainUnexpectedEnd(int offset)
    {
        if (_openBrackets.Count == 0)
        {
            return new(offset, "the file ends before the configuration begins; it must be one object: { … }");
        }

        var opened = CharAt(_openBrackets.Peek());
        return new(offset, $"the file ends too early: the '{opened}' of line {OpeningLine} is never closed; add '{ClosingBracket(opened)}'");
    }

    private string? ExplainCommonMistake(int offset) => CharAt(offset) switch
    {
        '\'' => "single quotes: JSON wants double quotes (\")",
        '#' => "a comment begins with // or stands between /* and */, not after '#'",
        '\u00e2' when SyntaxScanner.IsTypographicQuote(_text, offset) => "typographic quotes: JSON wants plain double quotes (\")",
        '=' => "a key and its value are joined by ':', not by '='",
        '{' or '[' when _openBrackets.Count >= PositionedJsonParser.MaxDepth => $"nested deeper than {PositionedJsonParser.MaxDepth} levels",
        _ => null,
    };

    private string ExplainAfterValue(int offset) => CharAt(offset) switch
    {
        '}' or ']' => ExplainMismatchedBracket(offset),
        ':' => "a ':' has no place here; a key stands before it in double quotes, and one value after it",
        _ => "a comma is missing before this",
    };

    private SyntaxError ExplainMissingKey(int offset)
    {
        switch (CharAt(offset))
        {
            case ',': return new(offset, "one comma too many");
            case ']': return new(offset, ExplainMismatchedBracket(offset));
            case '"':
                var end = SyntaxScanner.EndOfString(_text, offset, out var stringError);
                if (stringError is { } error)
                {
                    return error;
                }

                var next = SyntaxScanner.SkipTrivia(_text, end, out _);
                if (next >= _text.Length)
                {
                    return ExplainUnexpectedEnd(next);
                }

                return new(next, ExplainCommonMistake(next) ?? "a ':' is missing between the key and its value");
            default: return new(offset, "a key must stand here, in double quotes");
        }
    }

    private SyntaxError ExplainMissingValue(int offset, JsonTokenType last)
    {
        var found = CharAt(offset);
        if (found is '}' or ']' or ',' && last == JsonTokenType.PropertyName)
        {
            return new(offset, "the value is missing here, after the key");
        }

        switch (found)
        {
            case ',': return new(offset, "one comma too many");
            case '}' or ']' when _openBrackets.Count > 0: return new(offset, ExplainMismatchedBracket(offset));
            case '"':
                SyntaxScanner.EndOfString(_text, offset, out var stringError);
                return stringError ?? new(offset, "this is no JSON");
            case >= '0' and <= '9' or '-' or '+' or '.': return new(offset, SyntaxScanner.ExplainInvalidNumber(_text, offset) ?? NeedsQuotes);
            default:
                var isWord = char.IsAsciiLetter(found) || found is '/' or '_' or '~';
                return new(offset, SyntaxScanner.ExplainInvalidWord(_text, offset) ?? (isWord ? NeedsQuotes : "a value must stand here"));
        }
    }

    private string ExplainMismatchedBracket(int offset)
    {
        var opened = CharAt(_openBrackets.Peek());
        return $"'{CharAt(offset)}' can't close the '{opened}' of line {OpeningLine}; write '{ClosingBracket(opened)}', or add the one that is missing before it";
    }

    private int OpeningLine => _lines.PositionOf(_text, _openBrackets.Peek()).Line;

    private static char ClosingBracket(char opened) => opened == '{' ? '}' : ']';
}
