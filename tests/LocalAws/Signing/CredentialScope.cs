namespace LocalAws.Signing;

/// <summary>What a signature is valid for: one day (yyyyMMdd), one region, one service.</summary>
public sealed record CredentialScope(string Date, string Region, string Service)
{
    public const string Terminator = "aws4_request";

    public override string ToString() => $"{Date}/{Region}/{Service}/{Terminator}";
}
