using System.Text.Json;

namespace RagAgent.Configuration.Json;

/// <summary>Explains in plain words why a text is not JSON, for the mistakes that people make when they edit a file.</summary>
/// <remarks>It examines what follows the last valid token, because the messages of the parser speak of bytes and states.</remarks>
internal readonly ref struct SyntaxErrorExplainer(ReadOnlySpan<byte> text, LineMap lines, Stack<int> openBrackets)
{
    private const string TrailingContent = "the configuration ends before this; remove the rest, or a bracket that closes too early";
    private const string NeedsQuotes = "strings must be in double quotes, like \"20s\"";

    private readonly ReadOnlySpan<byte> _text = text;
    private readonly LineMap _lines = lines;
    private readonly Stack<int> _openBrackets = openBrackets;

    /// <param name="from">Where the last valid token ends.</param>
    /// <param name="last">The type of that token.</param>
    public SyntaxError Explain(int from, JsonTokenType last)
    {
        var offset = SyntaxScanner.SkipTrivia(_text, from, out var badComment);
        if (badComment is not null)
        {
            return new(offset, badComment);
        }

        var valueEnded =
            last is not (JsonTokenType.None or JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
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

    private char CharAt(int offset) => offset < _text.Length ? (char)_text[offset] : '\0';

    private SyntaxError ExplainUnexpectedEnd(int offset)
    {
        if (_openBrackets.Count == 0)
        {
            return new(offset, "the file ends before the configuration begins; it must be a single object: { … }");
        }

        var opened = CharAt(_openBrackets.Peek());
        return new(offset, $"the file ends too early: the '{opened}' on line {OpeningLine} is never closed; add '{ClosingBracket(opened)}'");
    }

    private string? ExplainCommonMistake(int offset) => CharAt(offset) switch
    {
        '\'' => "single quotes are not valid in JSON; use double quotes (\")",
        '#' => "'#' doesn't start a comment; use // or /* … */",
        '\u00e2' when SyntaxScanner.IsTypographicQuote(_text, offset) => "typographic quotes are not valid in JSON; use plain double quotes (\")",
        '=' => "a key and its value are separated by ':', not '='",
        '{' or '[' when _openBrackets.Count >= PositionedJsonParser.MaxDepth =>
            $"nested deeper than {PositionedJsonParser.MaxDepth} levels",
        _ => null,
    };

    private string ExplainAfterValue(int offset) => CharAt(offset) switch
    {
        '}' or ']' => ExplainMismatchedBracket(offset),
        ':' => "unexpected ':'; it belongs between a key in double quotes and a single value",
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
            default: return new(offset, "expected a key, in double quotes");
        }
    }

    private SyntaxError ExplainMissingValue(int offset, JsonTokenType last)
    {
        var found = CharAt(offset);
        if (found is '}' or ']' or ',' && last == JsonTokenType.PropertyName)
        {
            return new(offset, "the value after the key is missing");
        }

        switch (found)
        {
            case ',': return new(offset, "one comma too many");
            case '}' or ']' when _openBrackets.Count > 0: return new(offset, ExplainMismatchedBracket(offset));
            case '"':
                SyntaxScanner.EndOfString(_text, offset, out var stringError);
                return stringError ?? new(offset, "this is not valid JSON");
            case >= '0' and <= '9' or '-' or '+' or '.':
                return new(offset, SyntaxScanner.ExplainInvalidNumber(_text, offset) ?? NeedsQuotes);
            default:
                var isWord = char.IsAsciiLetter(found) || found is '/' or '_' or '~';
                return new(offset, SyntaxScanner.ExplainInvalidWord(_text, offset) ?? (isWord ? NeedsQuotes : "expected a value"));
        }
    }

    private string ExplainMismatchedBracket(int offset)
    {
        var opened = CharAt(_openBrackets.Peek());
        return $"'{CharAt(offset)}' can't close the '{opened}' on line {OpeningLine}; write '{ClosingBracket(opened)}', or add the missing bracket before it";
    }

    private int OpeningLine => _lines.PositionOf(_text, _openBrackets.Peek()).Line;

    private static char ClosingBracket(char opened) => opened == '{' ? '}' : ']';
}
