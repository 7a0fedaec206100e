using System.Globalization;
using System.Xml.Linq;

namespace LocalAws.Route53;

/// <summary>One ResourceRecordSet of a hosted zone.</summary>
/// <param name="Name">In small letters, with a dot at its end and Route 53's escapes.</param>
/// <param name="Type"><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, …</param>
/// <param name="Ttl">Seconds; null of an alias.</param>
/// <param name="Values">Empty of an alias.</param>
/// <param name="SetId">Where a routing policy chooses between several of one name and type.</param>
/// <param name="Weight">Of a weighted set.</param>
/// <param name="Alias">What an alias stands for, as it was sent.</param>
public sealed record RecordSet(string Name, string Type, long? Ttl, IReadOnlyList<string> Values, string? SetId = null, long? Weight = null, XElement? Alias = null)
{
    /// <summary>As a zone's file has it: <c>rag.example.com. 60 A 203.0.113.7</c>.</summary>
    public override string ToString() =>
        $"{Name} {Ttl?.ToString(CultureInfo.InvariantCulture) ?? "alias"} {Type} {string.Join(',', Values)}{(SetId is null ? "" : $" ({SetId})")}";

    internal static RecordSet Read(XElement set)
    {
        string? Text(string name) => set.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        return new RecordSet(
            HostedZones.Canonical(Text("Name") ?? ""),
            Text("Type") ?? "",
            long.TryParse(Text("TTL"), NumberStyles.None, CultureInfo.InvariantCulture, out var ttl) ? ttl : null,
            [.. set.Descendants().Where(element => element.Name.LocalName == "Value").Select(element => element.Value)],
            Text("SetIdentifier"),
            long.TryParse(Text("Weight"), NumberStyles.None, CultureInfo.InvariantCulture, out var weight) ? weight : null,
            set.Elements().FirstOrDefault(element => element.Name.LocalName == "AliasTarget"));
    }

    internal XElement Write(XNamespace answers) => new(answers + "ResourceRecordSet",
        new XElement(answers + "Name", Name),
        new XElement(answers + "Type", Type),
        SetId is null ? null : new XElement(answers + "SetIdentifier", SetId),
        Weight is null ? null : new XElement(answers + "Weight", Weight),
        Alias is not null ? Alias : new object?[]
        {
            new XElement(answers + "TTL", Ttl),
            new XElement(answers + "ResourceRecords", Values.Select(value => new XElement(answers + "ResourceRecord", new XElement(answers + "Value", value)))),
        });

    internal bool HoldsTheSameAs(RecordSet other) => Ttl == other.Ttl && Values.Order().SequenceEqual(other.Values.Order()) && Alias?.ToString() == other.Alias?.ToString();
}
