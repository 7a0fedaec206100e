using System.Globalization;
using System.Xml.Linq;

namespace LocalAws.Route53;

/// <summary>One ResourceRecordSet of a hosted zone.</summary>
/// <param name="Name">In lower case, with a trailing dot and Route 53's escapes.</param>
/// <param name="Type"><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, …</param>
/// <param name="Ttl">In seconds; null for an alias.</param>
/// <param name="Values">Empty for an alias.</param>
/// <param name="SetIdentifier">Tells sets of one name and type apart if a routing policy chooses among them.</param>
/// <param name="Weight">The weight in a weighted policy.</param>
/// <param name="AliasTarget">The target of an alias, as it was sent.</param>
public sealed record ResourceRecordSet(
    string Name,
    string Type,
    long? Ttl,
    IReadOnlyList<string> Values,
    string? SetIdentifier = null,
    long? Weight = null,
    XElement? AliasTarget = null)
{
    /// <summary>As in a zone file: <c>rag.example.com. 60 A 203.0.113.7</c>.</summary>
    public override string ToString() =>
        $"{Name} {Ttl?.ToString(CultureInfo.InvariantCulture) ?? "alias"} {Type} {string.Join(',', Values)}{(SetIdentifier is null ? "" : $" ({SetIdentifier})")}";

    internal static ResourceRecordSet Read(XElement set)
    {
        string? Text(string name) => set.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        return new ResourceRecordSet(
            HostedZones.Canonicalize(Text("Name") ?? ""),
            Text("Type") ?? "",
            long.TryParse(Text("TTL"), NumberStyles.None, CultureInfo.InvariantCulture, out var ttl) ? ttl : null,
            [.. set.Descendants().Where(element => element.Name.LocalName == "Value").Select(element => element.Value)],
            Text("SetIdentifier"),
            long.TryParse(Text("Weight"), NumberStyles.None, CultureInfo.InvariantCulture, out var weight) ? weight : null,
            set.Elements().FirstOrDefault(element => element.Name.LocalName == "AliasTarget"));
    }

    internal XElement Write(XNamespace xmlns) => new(xmlns + "ResourceRecordSet",
        new XElement(xmlns + "Name", Name),
        new XElement(xmlns + "Type", Type),
        SetIdentifier is null ? null : new XElement(xmlns + "SetIdentifier", SetIdentifier),
        Weight is null ? null : new XElement(xmlns + "Weight", Weight),
        AliasTarget is not null ? AliasTarget : new object?[]
        {
            new XElement(xmlns + "TTL", Ttl),
            new XElement(xmlns + "ResourceRecords", Values.Select(value => new XElement(xmlns + "ResourceRecord", new XElement(xmlns + "Value", value)))),
        });

    internal bool HasSameContent(ResourceRecordSet other) =>
        Ttl == other.Ttl &&
        Values.Order().SequenceEqual(other.Values.Order()) &&
        AliasTarget?.ToString() == other.AliasTarget?.ToString();
}
