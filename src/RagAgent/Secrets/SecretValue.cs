namespace RagAgent.Secrets;

/// <summary>A secret's text. It always formats as <c>***</c>; only <see cref="Reveal"/> returns the text.</summary>
internal sealed class SecretValue(string text)
{
    /// <summary>The text itself. Review every caller of this method.</summary>
    public string Reveal() => text;

    public override string ToString() => "***";
}
