namespace RagAgent.Tests.Support;

/// <summary>A request that a <see cref="TestServer"/> received.</summary>
internal sealed record ReceivedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public override string ToString() => $"{Method} {Path}";
}
