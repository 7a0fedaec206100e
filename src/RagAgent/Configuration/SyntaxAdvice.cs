using System.Text.Json;

namespace RagAgent.Configuration;

/// <param name="Offset">In bytes, where the operator should look.</param>
/// <param name="Message">Quotes nothing from the file: what does not parse may be a secret.</param>
internal readonly record struct SyntaxError(int Offset, string Message);

/// <summary>Says in plain words why a text is no JSON, for the mistakes that people make by hand.</summary>
/// <remarks>It looks again at what follows the last good token, because the parser's own words name bytes and states.</remarks>
internal readonly ref struct SyntaxAdvice(ReadOnlySpan<byte> text, LineMap lines, Stack<int> open)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private readonly LineMap _lines = lines;
    private readonly Stack<int> _open = open;

    /// <param name="from">Where the last good token ends.</param>
    /// <param name="last">Which one it was.</param>
    public SyntaxError Explain(int from, JsonTokenType last)
    {
        int at = SyntaxScan.SkipBlank(_text, from, out string? badComment);
        if (badComment is not null) return new(at, badComment);

        bool valueEnded = last is not (JsonTokenType.None or JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName);
        if (valueEnded && _open.Count > 0 && At(at) == ',')
        {
            valueEnded = false;
            at = SyntaxScan.SkipBlank(_text, at + 1, out badComment);
            if (badComment is not null) return new(at, badComment);
        }

        if (at >= _text.Length) return AtTheEnd(at);
        if (Anywhere(at) is { } common) return new(at, common);
        if (valueEnded) return new(at, _open.Count == 0 ? LeftOver : AfterValue(at));
        bool keyExpected = last != JsonTokenType.PropertyName && _open.Count > 0 && _text[_open.Peek()] == (byte)'{';
        return keyExpected ? InPlaceOfKey(at) : InPlaceOfValue(at, last);
    }

    private const string LeftOver = "the configuration ended before this; remove what is left over, or a bracket that closes too early";
    private const string NeedsQuotes = "a text must stand in double quotes, like \"20s\"";

    private char At(int offset) => offset < _text.Length ? (char)_text[offset] : '\0';

    private SyntaxError AtTheEnd(int at)
    {
        if (_open.Count == 0) return new(at, "the file ends before the configuration begins; it must be one object: { … }");
        char opened = At(_open.Peek());
        return new(at, $"the file ends too early: the '{opened}' of line {OpenLine} is never closed; add '{Closer(opened)}'");
    }

    private string? Anywhere(int at) => At(at) switch
    {
        '\'' => "single quotes: JSON wants double quotes (\")",
        '#' => "a comment begins with // or stands between /* and */, not after '#'",
        '\u00e2' when SyntaxScan.IsTypographicQuote(_text, at) => "typographic quotes: JSON wants plain double quotes (\")",
        '=' => "a key and its value are joined by ':', not by '='",
        '{' or '[' when _open.Count >= PositionedJson.MaxDepth => $"nested deeper than {PositionedJson.MaxDepth} levels",
        _ => null,
    };

    private string AfterValue(int at) => At(at) switch
    {
        '}' or ']' => WrongBracket(at),
        ':' => "a ':' has no place here; a key stands before it in double quotes, and one value after it",
        _ => "a comma is missing before this",
    };

    private SyntaxError InPlaceOfKey(int at)
    {
        switch (At(at))
        {
            case ',': return new(at, "one comma too many");
            case ']': return new(at, WrongBracket(at));
            case '"':
                int end = SyntaxScan.EndOfText(_text, at, out SyntaxError? broken);
                if (broken is { } error) return error;
                int next = SyntaxScan.SkipBlank(_text, end, out _);
                if (next >= _text.Length) return AtTheEnd(next);
                return new(next, Anywhere(next) ?? "a ':' is missing between the key and its value");
            default: return new(at, "a key must stand here, in double quotes");
        }
    }

    private SyntaxError InPlaceOfValue(int at, JsonTokenType last)
    {
        char found = At(at);
        if (found is '}' or ']' or ',' && last == JsonTokenType.PropertyName) return new(at, "the value is missing here, after the key");
        switch (found)
        {
            case ',': return new(at, "one comma too many");
            case '}' or ']' when _open.Count > 0: return new(at, WrongBracket(at));
            case '"':
                SyntaxScan.EndOfText(_text, at, out SyntaxError? broken);
                return broken ?? new(at, "this is no JSON");
            case >= '0' and <= '9' or '-' or '+' or '.': return new(at, SyntaxScan.WhyNoNumber(_text, at) ?? NeedsQuotes);
            default:
                bool isWord = char.IsAsciiLetter(found) || found is '/' or '_' or '~';
                return new(at, SyntaxScan.WhyNoWord(_text, at) ?? (isWord ? NeedsQuotes : "a value must stand here"));
        }
    }

    private string WrongBracket(int at)
    {
        char opened = At(_open.Peek());
        return $"'{At(at)}' can't close the '{opened}' of line {OpenLine}; write '{Closer(opened)}', or add the one that is missing before it";
    }

    private int OpenLine => _lines.At(_text, _open.Peek()).Line;

    private static char Closer(char opened) => opened == '{' ? '}' : ']';
}
