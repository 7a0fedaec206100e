namespace LocalAws.Signing;

/// <summary>The parts of an HTTP request that a Signature Version 4 covers, as they were on the wire.</summary>
/// <param name="Method"></param>
/// <param name="RawPath">Still percent-encoded, without the query.</param>
/// <param name="RawQuery">Still percent-encoded, without the question mark.</param>
/// <param name="Headers">Names in lower case; a repeated header's values are joined by a comma.</param>
/// <param name="Body"></param>
public sealed record SignedRequest(
    string Method, string RawPath, string RawQuery, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Body);
