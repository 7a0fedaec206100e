namespace RagAgent.Tests.Proxy;

/// <summary>A request as its bytes arrived.</summary>
/// <param name="Head">Up to the empty line, each byte a character.</param>
/// <param name="Body">What its framing says that it has, without the framing.</param>
/// <param name="IsTruncated">It ended before its framing said so.</param>
internal sealed record RawRequest(string Head, string Body, bool IsTruncated = false)
{
    public string Line => Head.Split("\r\n")[0];

    public IEnumerable<(string Name, string Value)> Headers => Head.Split("\r\n").Skip(1).Select(line => line.Split(':', 2)).Select(pair => (pair[0], pair[1].Trim()));

    public string[] Values(string name) =>
        [.. Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value)];

    public override string ToString() => Body.Length == 0 ? Line : $"{Line} [{Body.Replace("\r\n", "~", StringComparison.Ordinal)}]";
}
