namespace RagAgent.Tests.Support;

/// <summary>A request as it arrived.</summary>
internal sealed record ReceivedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public override string ToString() => $"{Method} {Path}";
}
