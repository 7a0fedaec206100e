namespace RagAgent.Tests.Bench;

/// <summary>What was written between two flushes, piece by piece.</summary>
internal sealed class FlushedPieces : StringWriter
{
    public List<string> Pieces { get; } = [];

    public override void Flush()
    {
        Pieces.Add(ToString());
        GetStringBuilder().Clear();
    }
}
