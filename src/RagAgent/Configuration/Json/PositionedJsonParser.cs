using System.Text;
using System.Text.Json;
using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Json;

/// <summary>Parses JSON with comments and trailing commas into a tree of values with positions.</summary>
internal ref struct PositionedJsonParser
{
    /// <summary>Deeper than any configuration. Limits the recursion.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _text;
    private readonly LineMap _lines;
    private readonly ConfigErrors _errors;
    private readonly Stack<int> _openBrackets = new();
    private Utf8JsonReader _reader;
    private JsonTokenType _lastToken = JsonTokenType.None;
    private int _lastTokenEnd;

    private PositionedJsonParser(ReadOnlySpan<byte> text, ConfigErrors errors)
    {
        _text = text;
        _errors = errors;
        _lines = new LineMap(text);
        _reader = new Utf8JsonReader(text, new JsonReaderOptions
        {
            AllowTrailingCommas = true,
            CommentHandling = JsonCommentHandling.Skip,
            MaxDepth = MaxDepth,
        });
    }

    /// <summary>The tree; null, with one error, if the text is not JSON.</summary>
    /// <param name="text">Valid UTF-8 without a byte order mark.</param>
    /// <param name="errors">Collects the errors.</param>
    public static ConfigNode? Parse(ReadOnlySpan<byte> text, ConfigErrors errors)
    {
        var parser = new PositionedJsonParser(text, errors);
        try
        {
            parser.Advance();
            var root = parser.ReadValue();
            parser.ExpectEnd();
            return root;
        }
        catch (JsonException)
        {
            var explainer = new SyntaxErrorExplainer(text, parser._lines, parser._openBrackets);
            var error = explainer.Explain(parser._lastTokenEnd, parser._lastToken);
            errors.Add(parser._lines.PositionOf(text, error.Offset), null, error.Message);
            return null;
        }
    }

    private void Advance()
    {
        // At the end of a complete text the reader throws, except if no value has begun.
        if (!_reader.Read())
        {
            throw new JsonException();
        }

        _lastToken = _reader.TokenType;
        _lastTokenEnd = (int)_reader.BytesConsumed;
    }

    private void ExpectEnd()
    {
        if (_reader.Read())
        {
            throw new JsonException();
        }
    }

    private readonly TextPosition CurrentPosition => _lines.PositionOf(_text, (int)_reader.TokenStartIndex);

    private ConfigNode ReadValue() => _reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(),
        JsonTokenType.StartArray => ReadArray(),
        JsonTokenType.String => new StringNode(CurrentPosition, ReadString()),
        JsonTokenType.Number => new NumberNode(CurrentPosition, Encoding.ASCII.GetString(_reader.ValueSpan)),
        JsonTokenType.True => new BooleanNode(CurrentPosition, true),
        JsonTokenType.False => new BooleanNode(CurrentPosition, false),
        _ => new NullNode(CurrentPosition),
    };

    private ObjectNode ReadObject()
    {
        var position = CurrentPosition;
        var members = new List<Member>();
        _openBrackets.Push((int)_reader.TokenStartIndex);
        for (Advance(); _reader.TokenType != JsonTokenType.EndObject; Advance())
        {
            var namePosition = CurrentPosition;
            var name = ReadString();
            Advance();
            members.Add(new Member(name, namePosition, ReadValue()));
        }

        _openBrackets.Pop();
        return new ObjectNode(position, members);
    }

    private ArrayNode ReadArray()
    {
        var position = CurrentPosition;
        var items = new List<ConfigNode>();
        _openBrackets.Push((int)_reader.TokenStartIndex);
        for (Advance(); _reader.TokenType != JsonTokenType.EndArray; Advance())
        {
            items.Add(ReadValue());
        }

        _openBrackets.Pop();
        return new ArrayNode(position, items);
    }

    private readonly string ReadString()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            _errors.Add(CurrentPosition, null, @"this string contains half of a surrogate pair (\ud800 to \udfff alone); write the character itself");
            return "";
        }
    }
}
