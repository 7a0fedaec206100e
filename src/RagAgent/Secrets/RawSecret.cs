namespace RagAgent.Secrets;

/// <summary>What a source returned.</summary>
/// <param name="Value">The text, not trimmed.</param>
/// <param name="Version">Changes whenever the text does, but is not derived from it.</param>
/// <param name="Warning">What an operator should change although it works; null for nothing.</param>
internal sealed record RawSecret(SecretValue Value, string Version, string? Warning = null)
{
    public RawSecret(string text, string version, string? warning = null)
        : this(new SecretValue(text), version, warning)
    {
    }
}
