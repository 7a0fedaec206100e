namespace LocalAws.Signing;

/// <summary>The parts of an HTTP request that Signature Version 4 covers, exactly as received.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="RawPath">Still percent-encoded, without the query.</param>
/// <param name="RawQuery">Still percent-encoded, without the question mark.</param>
/// <param name="Headers">Names in lower case. The values of a repeated header are joined by commas.</param>
/// <param name="Body">The body.</param>
public sealed record SignedRequest(
    string Method, string RawPath, string RawQuery, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Body);
