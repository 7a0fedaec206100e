namespace RagAgent.Configuration.Json;

/// <summary>A JSON value with its position.</summary>
internal abstract record ConfigNode(TextPosition Position)
{
    /// <summary>The type in words. Messages show it instead of the value, which may be a secret.</summary>
    public abstract string TypeName { get; }
}

internal sealed record StringNode(TextPosition Position, string Value) : ConfigNode(Position)
{
    public override string TypeName => "a string";
}

/// <param name="Position">Where it begins.</param>
/// <param name="Raw">As written, without loss of digits.</param>
internal sealed record NumberNode(TextPosition Position, string Raw) : ConfigNode(Position)
{
    public override string TypeName => "a number";
}

internal sealed record BooleanNode(TextPosition Position, bool Value) : ConfigNode(Position)
{
    public override string TypeName => "a boolean";
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
/// <param name="Position">The position of the key; the value has its own.</param>
/// <param name="Value">The value.</param>
internal sealed record Member(string Name, TextPosition Position, ConfigNode Value);
