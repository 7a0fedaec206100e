namespace RagAgent.Tests.Support;

/// <summary>Records what was written before each flush.</summary>
internal sealed class FlushRecorder : StringWriter
{
    public List<string> Flushes { get; } = [];

    public override void Flush()
    {
        Flushes.Add(ToString());
        GetStringBuilder().Clear();
    }
}
