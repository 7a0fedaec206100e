namespace RagAgent.Configuration;

/// <summary>A place in the file, both from 1; columns count characters, not bytes.</summary>
internal readonly record struct TextPosition(int Line, int Column);

/// <summary>A JSON value that knows where it stands.</summary>
internal abstract record ConfigNode(TextPosition At)
{
    /// <summary>Its type in words, never its value: it may be a secret.</summary>
    public abstract string Kind { get; }
}

internal sealed record TextNode(TextPosition At, string Value) : ConfigNode(At)
{
    public override string Kind => "a text";
}

/// <param name="At">Where it begins.</param>
/// <param name="Raw">As written, so that no digit is lost.</param>
internal sealed record NumberNode(TextPosition At, string Raw) : ConfigNode(At)
{
    public override string Kind => "a number";
}

internal sealed record FlagNode(TextPosition At, bool Value) : ConfigNode(At)
{
    public override string Kind => "true or false";
}

internal sealed record NullNode(TextPosition At) : ConfigNode(At)
{
    public override string Kind => "null";
}

internal sealed record ListNode(TextPosition At, IReadOnlyList<ConfigNode> Items) : ConfigNode(At)
{
    public override string Kind => "a list";
}

/// <param name="At">Where it begins.</param>
/// <param name="Members">In the order of the file, duplicates included.</param>
internal sealed record ObjectNode(TextPosition At, IReadOnlyList<Member> Members) : ConfigNode(At)
{
    public override string Kind => "an object";
}

/// <param name="Name">The key.</param>
/// <param name="At">Where the key stands; its value has its own place.</param>
/// <param name="Value">What it is set to.</param>
internal sealed record Member(string Name, TextPosition At, ConfigNode Value);
