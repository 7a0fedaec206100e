using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalAws.Route53;

/// <summary>Route 53's API of 2013-04-01: the records of the existing hosted zones.</summary>
internal sealed class Route53Service(HostedZones zones)
{
    public const string SigningName = "route53";
    public const string Version = "2013-04-01";
    public static readonly XNamespace Xmlns = $"https://route53.amazonaws.com/doc/{Version}/";
    private const string Root = $"/{Version}/";

    /// <summary>Only these paths below the API version: the metadata service has others there.</summary>
    public static bool CanHandle(HttpRequest request) =>
        request.Path.Value!.StartsWith($"{Root}hostedzone", StringComparison.Ordinal) ||
        request.Path.Value.StartsWith($"{Root}change/", StringComparison.Ordinal);

    /// <summary>The action and the resource as IAM names them.</summary>
    public static (string Action, string Resource) ParseAction(HttpRequest request) => (request.Method, PathSegments(request)) switch
    {
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", "*"),
        ("GET", ["hostedzone", var id, "rrset"]) => ("ListResourceRecordSets", Arn(id)),
        ("POST", ["hostedzone", var id, "rrset"]) => ("ChangeResourceRecordSets", Arn(id)),
        ("GET", ["change", var id]) => ("GetChange", $"arn:aws:route53:::change/{id}"),
        _ => ("unknown", "*"),
    };

    /// <exception cref="AwsErrorException">Route 53 refuses the call.</exception>
    public XElement Handle(HttpRequest request, byte[] body)
    {
        var query = QueryHelpers.ParseQuery(request.QueryString.Value)
            .ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
        return (request.Method, PathSegments(request)) switch
        {
            ("GET", ["hostedzonesbyname"]) => ZonesByName(query),
            ("GET", ["hostedzone", var id, "rrset"]) => Records(id, query),
            ("POST", ["hostedzone", var id, "rrset"]) => ChangeInfo("ChangeResourceRecordSetsResponse", zones.ApplyBatch(id, ParseBatch(body))),
            ("GET", ["change", var id]) => ChangeInfo("GetChangeResponse", id),
            _ => throw new AwsErrorException(new AwsError("NoSuchVersion", "LocalAws does not know this operation of Route 53.", StatusCodes.Status404NotFound)),
        };
    }

    private XElement ZonesByName(Dictionary<string, string> query)
    {
        var startKey = query.TryGetValue("dnsname", out var name) ? HostedZones.SortKey(name, null, null) : "";
        var found = zones.ListZones()
            .Where(zone => string.CompareOrdinal(HostedZones.SortKey(zone.Name, null, null), startKey) >= 0)
            .Take(MaxItems(query, 100));
        return new XElement(Xmlns + "ListHostedZonesByNameResponse",
            new XElement(Xmlns + "HostedZones", found.Select(zone => new XElement(Xmlns + "HostedZone",
                new XElement(Xmlns + "Id", $"/hostedzone/{zone.Id}"),
                new XElement(Xmlns + "Name", zone.Name),
                new XElement(Xmlns + "CallerReference", zone.Id),
                new XElement(Xmlns + "Config", new XElement(Xmlns + "PrivateZone", "false")),
                new XElement(Xmlns + "ResourceRecordSetCount", zone.Records)))),
            name is null ? null : new XElement(Xmlns + "DNSName", name),
            new XElement(Xmlns + "IsTruncated", "false"),
            new XElement(Xmlns + "MaxItems", MaxItems(query, 100)));
    }

    private XElement Records(string id, Dictionary<string, string> query)
    {
        var startKey = query.TryGetValue("name", out var name)
            ? HostedZones.SortKey(name, query.GetValueOrDefault("type"), query.GetValueOrDefault("identifier"))
            : "";
        var maxItems = MaxItems(query, 300);
        var found = zones.Records(id).Where(set => string.CompareOrdinal(HostedZones.SortKey(set), startKey) >= 0).ToArray();
        var next = found.ElementAtOrDefault(maxItems);
        return new XElement(Xmlns + "ListResourceRecordSetsResponse",
            new XElement(Xmlns + "ResourceRecordSets", found.Take(maxItems).Select(set => set.Write(Xmlns))),
            new XElement(Xmlns + "IsTruncated", next is null ? "false" : "true"),
            next is null ? null : new XElement(Xmlns + "NextRecordName", next.Name),
            next is null ? null : new XElement(Xmlns + "NextRecordType", next.Type),
            next?.SetIdentifier is null ? null : new XElement(Xmlns + "NextRecordIdentifier", next.SetIdentifier),
            new XElement(Xmlns + "MaxItems", maxItems));
    }

    private XElement ChangeInfo(string name, string change)
    {
        var (at, isEverywhere) = zones.FindChange(change)
            ?? throw new AwsErrorException(new AwsError("NoSuchChange", $"Could not find resource with ID: {change}", StatusCodes.Status404NotFound));
        return new XElement(Xmlns + name, new XElement(Xmlns + "ChangeInfo",
            new XElement(Xmlns + "Id", $"/change/{change}"),
            new XElement(Xmlns + "Status", isEverywhere ? "INSYNC" : "PENDING"),
            new XElement(Xmlns + "SubmittedAt", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))));
    }

    private static IReadOnlyList<(string Action, ResourceRecordSet Set)> ParseBatch(byte[] body)
    {
        XElement root;
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
            using var reader = XmlReader.Create(new MemoryStream(body), settings);
            root = XElement.Load(reader);
        }
        catch (XmlException)
        {
            throw Malformed("The XML you provided was not well-formed or did not validate against our published schema");
        }
        var changes = root.Descendants(Xmlns + "Change").ToArray();
        if (root.Name != Xmlns + "ChangeResourceRecordSetsRequest" || changes.Length == 0)
        {
            throw Malformed("1 validation error detected: Value null at 'changeBatch' failed to satisfy constraint: Member must not be null");
        }
        // The service's schema is a sequence: elements in another order are refused.
        string[] order = ["Name", "Type", "SetIdentifier", "Weight", "TTL", "ResourceRecords", "AliasTarget"];
        foreach (var set in changes.Select(change => change.Element(Xmlns + "ResourceRecordSet")))
        {
            var positions = set?.Elements().Select(element => Array.IndexOf(order, element.Name.LocalName)).ToArray() ?? [-1];
            if (positions.Contains(-1) || !positions.SequenceEqual(positions.Order()))
            {
                throw Malformed("Unexpected element in ResourceRecordSet");
            }
        }
        return [.. changes.Select(change => (change.Element(Xmlns + "Action")?.Value ?? "", ResourceRecordSet.Read(change.Element(Xmlns + "ResourceRecordSet")!)))];
    }

    private static AwsErrorException Malformed(string message) => new(AwsError.BadRequest("InvalidInput", message));

    private static int MaxItems(Dictionary<string, string> query, int maxItems) =>
        int.TryParse(query.GetValueOrDefault("maxitems"), NumberStyles.None, CultureInfo.InvariantCulture, out var requested) && requested < maxItems ? requested : maxItems;

    private static string Arn(string zone) => $"arn:aws:route53:::hostedzone/{zone}";

    private static string[] PathSegments(HttpRequest request) =>
        request.Path.Value![Root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
}
