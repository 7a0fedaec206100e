namespace RagAgent.Configuration.Json;

/// <summary>A place in the file, both from 1; columns count characters, not bytes.</summary>
internal readonly record struct TextPosition(int Line, int Column);

/// <summary>A JSON value that knows where it stands.</summary>
internal abstract record ConfigNode(TextPosition Position)
{
    /// <summary>Its type in words, never its value: it may be a secret.</summary>
    public abstract string TypeName { get; }
}

internal sealed record StringNode(TextPosition Position, string Value) : ConfigNode(Position)
{
    public override string TypeName => "a text";
}

/// <param name="Position">Where it begins.</param>
/// <param name="Raw">As written, so that no digit is lost.</param>
internal sealed record NumberNode(TextPosition Position, string Raw) : ConfigNode(Position)
{
    public override string TypeName => "a number";
}

internal sealed record BooleanNode(TextPosition Position, bool Value) : ConfigNode(Position)
{
    public override string TypeName => "true or false";
}

internal sealed record NullNode(TextPosition Position) : ConfigNode(Position)
{
    public override string TypeName => "null";
}

internal sealed record ArrayNode(TextPosition Position, IReadOnlyList<ConfigNode> Items) : ConfigNode(Position)
{
    public override string TypeName => "a list";
}

/// <param name="Position">Where it begins.</param>
/// <param name="Members">In the order of the file, duplicates included.</param>
internal sealed record ObjectNode(TextPosition Position, IReadOnlyList<Member> Members) : ConfigNode(Position)
{
    public override string TypeName => "an object";
}

/// <param name="Name">The key.</param>
/// <param name="Position">Where the key stands; its value has its own place.</param>
/// <param name="Value">What it is set to.</param>
internal sealed record Member(string Name, TextPosition Position, ConfigNode Value);
