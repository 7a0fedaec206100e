namespace RagAgent.Configuration;

/// <summary>A place in the file, both from 1; columns count characters, not bytes.</summary>
internal readonly record struct TextPosition(int Line, int Column);

/// <summary>A JSON value that knows where it stands.</summary>
internal abstract record JsonNode(TextPosition At)
{
    /// <summary>Its type in words, never its value: it may be a secret.</summary>
    public abstract string Kind { get; }
}

internal sealed record JsonText(TextPosition At, string Value) : JsonNode(At)
{
    public override string Kind => "a text";
}

/// <param name="At">Where it begins.</param>
/// <param name="Raw">As written, so that no digit is lost.</param>
internal sealed record JsonNumber(TextPosition At, string Raw) : JsonNode(At)
{
    public override string Kind => "a number";
}

internal sealed record JsonFlag(TextPosition At, bool Value) : JsonNode(At)
{
    public override string Kind => "true or false";
}

internal sealed record JsonNull(TextPosition At) : JsonNode(At)
{
    public override string Kind => "null";
}

internal sealed record JsonList(TextPosition At, IReadOnlyList<JsonNode> Items) : JsonNode(At)
{
    public override string Kind => "a list";
}

/// <param name="At">Where it begins.</param>
/// <param name="Members">In the order of the file, duplicates included.</param>
internal sealed record JsonObject(TextPosition At, IReadOnlyList<JsonMember> Members) : JsonNode(At)
{
    public override string Kind => "an object";
}

/// <param name="Name">The key.</param>
/// <param name="At">Where the key stands; its value has its own place.</param>
/// <param name="Value">What it is set to.</param>
internal sealed record JsonMember(string Name, TextPosition At, JsonNode Value);
