using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace RagAgent.Aws;

/// <summary>What goes to Route 53 and comes from it.</summary>
internal static class Route53Xml
{
    private static readonly XNamespace Ours = $"https://route53.amazonaws.com/doc/{Route53ClientConfig.ApiVersion}/";
    private static readonly XmlWriterSettings Compact = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) };

    /// <summary>The body of ChangeResourceRecordSets. Route 53 wants its elements in this order.</summary>
    /// <param name="comment">For who looks at the zone's history.</param>
    /// <param name="changes">Are made all or none. Each <c>UPSERT</c> or <c>DELETE</c>, of a set that is no alias.</param>
    public static byte[] Change(string comment, IEnumerable<(string Action, RecordSet Set)> changes)
    {
        var document = new XElement(Ours + "ChangeResourceRecordSetsRequest",
            new XElement(Ours + "ChangeBatch",
                new XElement(Ours + "Comment", comment),
                new XElement(Ours + "Changes", changes.Select(change => new XElement(Ours + "Change",
                    new XElement(Ours + "Action", change.Action),
                    new XElement(Ours + "ResourceRecordSet",
                        new XElement(Ours + "Name", change.Set.Name),
                        new XElement(Ours + "Type", change.Set.Type),
                        new XElement(Ours + "TTL", change.Set.Ttl),
                        new XElement(Ours + "ResourceRecords", change.Set.Values.Select(value => new XElement(Ours + "ResourceRecord", new XElement(Ours + "Value", value))))))))));
        using var bytes = new MemoryStream();
        using (var writer = XmlWriter.Create(bytes, Compact))
        {
            document.Save(writer);
        }
        return bytes.ToArray();
    }

    /// <summary>Reads the answer of ListResourceRecordSets.</summary>
    /// <exception cref="XmlException">It is none.</exception>
    public static IReadOnlyList<RecordSet> Sets(string body)
    {
        var root = AwsXml.Parse(body).Root;
        if (root?.Name.LocalName != "ListResourceRecordSetsResponse")
        {
            throw new XmlException("It is no list of records.");
        }
        return [.. Below(root, "ResourceRecordSets").Elements().Where(set => set.Name.LocalName == "ResourceRecordSet").Select(set => new RecordSet(
            Text(set, "Name") ?? "",
            Text(set, "Type") ?? "",
            long.TryParse(Text(set, "TTL"), NumberStyles.None, CultureInfo.InvariantCulture, out var ttl) ? ttl : null,
            [.. Below(set, "ResourceRecords").Elements().Select(record => Text(record, "Value") ?? "")],
            Below(set, "AliasTarget").Elements().FirstOrDefault(element => element.Name.LocalName == "DNSName")?.Value,
            Text(set, "SetIdentifier")))];
    }

    private static IEnumerable<XElement> Below(XElement parent, string name) => parent.Elements().Where(element => element.Name.LocalName == name);

    private static string? Text(XElement parent, string name) => Below(parent, name).FirstOrDefault()?.Value;
}
