namespace RagAgent.Secrets;

/// <summary>A secret's text. It prints as <c>***</c> wherever it is formatted; <see cref="Reveal"/> is the only way to the text.</summary>
internal sealed class SecretValue(string text)
{
    /// <summary>The text itself. Every caller of this is a place to look at in a review.</summary>
    public string Reveal() => text;

    public override string ToString() => "***";
}
