namespace RagAgent.Tests.Support;

/// <summary>What was written between two flushes, piece by piece.</summary>
internal sealed class FlushRecorder : StringWriter
{
    public List<string> Flushes { get; } = [];

    public override void Flush()
    {
        Flushes.Add(ToString());
        GetStringBuilder().Clear();
    }
}
