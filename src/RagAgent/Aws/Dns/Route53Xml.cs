using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace RagAgent.Aws.Dns;

/// <summary>Writes requests to Route 53 and reads its responses.</summary>
internal static class Route53Xml
{
    private static readonly XNamespace Xmlns = $"https://route53.amazonaws.com/doc/{Route53ClientConfig.ApiVersion}/";
    private static readonly XmlWriterSettings Compact = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) };

    /// <summary>The body of ChangeResourceRecordSets. Route 53 requires the elements in this order.</summary>
    /// <param name="comment">Shown in the zone's change history.</param>
    /// <param name="changes">Made all or none. Each is an <c>UPSERT</c> or <c>DELETE</c> of a set that isn't an alias.</param>
    public static byte[] BuildChangeRequest(string comment, IEnumerable<(string Action, ResourceRecordSet Set)> changes)
    {
        var document = new XElement(Xmlns + "ChangeResourceRecordSetsRequest",
            new XElement(Xmlns + "ChangeBatch",
                new XElement(Xmlns + "Comment", comment),
                new XElement(Xmlns + "Changes", changes.Select(change => new XElement(Xmlns + "Change",
                    new XElement(Xmlns + "Action", change.Action),
                    new XElement(Xmlns + "ResourceRecordSet",
                        new XElement(Xmlns + "Name", change.Set.Name),
                        new XElement(Xmlns + "Type", change.Set.Type),
                        new XElement(Xmlns + "TTL", change.Set.Ttl),
                        new XElement(Xmlns + "ResourceRecords", change.Set.Values.Select(value =>
                            new XElement(Xmlns + "ResourceRecord", new XElement(Xmlns + "Value", value))))))))));
        using var bytes = new MemoryStream();
        using (var writer = XmlWriter.Create(bytes, Compact))
        {
            document.Save(writer);
        }
        return bytes.ToArray();
    }

    /// <summary>Reads the response of ListResourceRecordSets.</summary>
    /// <exception cref="XmlException">The body is not such a response.</exception>
    public static IReadOnlyList<ResourceRecordSet> ParseRecordSets(string body)
    {
        var root = AwsXml.Parse(body).Root;
        if (root?.Name.LocalName != "ListResourceRecordSetsResponse")
        {
            throw new XmlException("The response is not a list of records.");
        }
        return [.. Children(root, "ResourceRecordSets").Elements()
            .Where(set => set.Name.LocalName == "ResourceRecordSet")
            .Select(set => new ResourceRecordSet(
                ChildText(set, "Name") ?? "",
                ChildText(set, "Type") ?? "",
                long.TryParse(ChildText(set, "TTL"), NumberStyles.None, CultureInfo.InvariantCulture, out var ttl) ? ttl : null,
                [.. Children(set, "ResourceRecords").Elements().Select(record => ChildText(record, "Value") ?? "")],
                Children(set, "AliasTarget").Elements().FirstOrDefault(element => element.Name.LocalName == "DNSName")?.Value,
                ChildText(set, "SetIdentifier")))];
    }

    private static IEnumerable<XElement> Children(XElement parent, string name) =>
        parent.Elements().Where(element => element.Name.LocalName == name);

    private static string? ChildText(XElement parent, string name) => Children(parent, name).FirstOrDefault()?.Value;
}
