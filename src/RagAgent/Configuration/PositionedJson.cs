using System.Text;
using System.Text.Json;

namespace RagAgent.Configuration;

/// <summary>Reads JSON with comments and trailing commas into a tree whose every value knows its line and column.</summary>
internal ref struct PositionedJson
{
    /// <summary>Deeper than any configuration; keeps the recursion small.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _text;
    private readonly LineMap _lines;
    private readonly Findings _findings;
    private readonly Stack<int> _open = new();
    private Utf8JsonReader _reader;
    private JsonTokenType _last = JsonTokenType.None;
    private int _lastEnd;

    private PositionedJson(ReadOnlySpan<byte> text, Findings findings)
    {
        _text = text;
        _findings = findings;
        _lines = new LineMap(text);
        _reader = new Utf8JsonReader(text, new JsonReaderOptions
        {
            AllowTrailingCommas = true,
            CommentHandling = JsonCommentHandling.Skip,
            MaxDepth = MaxDepth,
        });
    }

    /// <summary>The tree, or null when the text is no JSON: then one problem says where and why.</summary>
    /// <param name="text">Valid UTF-8 without a byte order mark.</param>
    /// <param name="findings">Takes what is found wrong.</param>
    public static ConfigNode? Parse(ReadOnlySpan<byte> text, Findings findings)
    {
        var json = new PositionedJson(text, findings);
        try
        {
            json.Advance();
            ConfigNode root = json.Value();
            json.ExpectEnd();
            return root;
        }
        catch (JsonException)
        {
            SyntaxError error = new SyntaxAdvice(text, json._lines, json._open).Explain(json._lastEnd, json._last);
            findings.Add(json._lines.At(text, error.Offset), null, error.Message);
            return null;
        }
    }

    private void Advance()
    {
        // With the whole text at hand the reader throws at its end, except where no value was begun at all.
        if (!_reader.Read()) throw new JsonException();
        _last = _reader.TokenType;
        _lastEnd = (int)_reader.BytesConsumed;
    }

    private void ExpectEnd()
    {
        if (_reader.Read()) throw new JsonException();
    }

    private readonly TextPosition Here => _lines.At(_text, (int)_reader.TokenStartIndex);

    private ConfigNode Value() => _reader.TokenType switch
    {
        JsonTokenType.StartObject => Object(),
        JsonTokenType.StartArray => List(),
        JsonTokenType.String => new TextNode(Here, Text()),
        JsonTokenType.Number => new NumberNode(Here, Encoding.ASCII.GetString(_reader.ValueSpan)),
        JsonTokenType.True => new FlagNode(Here, true),
        JsonTokenType.False => new FlagNode(Here, false),
        _ => new NullNode(Here),
    };

    private ObjectNode Object()
    {
        TextPosition at = Here;
        var members = new List<Member>();
        _open.Push((int)_reader.TokenStartIndex);
        for (Advance(); _reader.TokenType != JsonTokenType.EndObject; Advance())
        {
            TextPosition nameAt = Here;
            string name = Text();
            Advance();
            members.Add(new Member(name, nameAt, Value()));
        }

        _open.Pop();
        return new ObjectNode(at, members);
    }

    private ListNode List()
    {
        TextPosition at = Here;
        var items = new List<ConfigNode>();
        _open.Push((int)_reader.TokenStartIndex);
        for (Advance(); _reader.TokenType != JsonTokenType.EndArray; Advance()) items.Add(Value());
        _open.Pop();
        return new ListNode(at, items);
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            _findings.Add(Here, null, @"this text holds half of a character pair (\ud800 to \udfff alone); write the character itself");
            return "";
        }
    }
}
