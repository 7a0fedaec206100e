using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalAws.Route53;

/// <summary>Route 53 as in its API reference of 2013-04-01: the records of the hosted zones that there are.</summary>
internal sealed class Route53Service(HostedZones zones)
{
    public const string SigningName = "route53";
    public const string Version = "2013-04-01";
    public static readonly XNamespace Answers = $"https://route53.amazonaws.com/doc/{Version}/";
    private const string Root = $"/{Version}/";

    /// <summary>Below the version's path, which the metadata service has for others.</summary>
    public static bool Owns(HttpRequest request) =>
        request.Path.Value!.StartsWith($"{Root}hostedzone", StringComparison.Ordinal) || request.Path.Value.StartsWith($"{Root}change/", StringComparison.Ordinal);

    /// <summary>By IAM's names.</summary>
    public static (string Action, string Resource) Meant(HttpRequest request) => (request.Method, Parts(request)) switch
    {
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", "*"),
        ("GET", ["hostedzone", var id, "rrset"]) => ("ListResourceRecordSets", Arn(id)),
        ("POST", ["hostedzone", var id, "rrset"]) => ("ChangeResourceRecordSets", Arn(id)),
        ("GET", ["change", var id]) => ("GetChange", $"arn:aws:route53:::change/{id}"),
        _ => ("unknown", "*"),
    };

    /// <exception cref="AwsErrorException">What Route 53 refuses, in its words.</exception>
    public XElement Answer(HttpRequest request, byte[] body)
    {
        var query = QueryHelpers.ParseQuery(request.QueryString.Value).ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
        return (request.Method, Parts(request)) switch
        {
            ("GET", ["hostedzonesbyname"]) => ZonesByName(query),
            ("GET", ["hostedzone", var id, "rrset"]) => Records(id, query),
            ("POST", ["hostedzone", var id, "rrset"]) => Info("ChangeResourceRecordSetsResponse", zones.Change(id, Batch(body))),
            ("GET", ["change", var id]) => Info("GetChangeResponse", id),
            _ => throw new AwsErrorException(new AwsError("NoSuchVersion", "LocalAws does not know this operation of Route 53.", StatusCodes.Status404NotFound)),
        };
    }

    private XElement ZonesByName(Dictionary<string, string> query)
    {
        var from = query.TryGetValue("dnsname", out var name) ? HostedZones.SortKey(name, null, null) : "";
        var found = zones.All().Where(zone => string.CompareOrdinal(HostedZones.SortKey(zone.Name, null, null), from) >= 0).Take(Most(query, 100));
        return new XElement(Answers + "ListHostedZonesByNameResponse",
            new XElement(Answers + "HostedZones", found.Select(zone => new XElement(Answers + "HostedZone",
                new XElement(Answers + "Id", $"/hostedzone/{zone.Id}"),
                new XElement(Answers + "Name", zone.Name),
                new XElement(Answers + "CallerReference", zone.Id),
                new XElement(Answers + "Config", new XElement(Answers + "PrivateZone", "false")),
                new XElement(Answers + "ResourceRecordSetCount", zone.Records)))),
            name is null ? null : new XElement(Answers + "DNSName", name),
            new XElement(Answers + "IsTruncated", "false"),
            new XElement(Answers + "MaxItems", Most(query, 100)));
    }

    private XElement Records(string id, Dictionary<string, string> query)
    {
        var from = query.TryGetValue("name", out var name) ? HostedZones.SortKey(name, query.GetValueOrDefault("type"), query.GetValueOrDefault("identifier")) : "";
        var most = Most(query, 300);
        var found = zones.Records(id).Where(set => string.CompareOrdinal(HostedZones.SortKey(set), from) >= 0).ToArray();
        var next = found.ElementAtOrDefault(most);
        return new XElement(Answers + "ListResourceRecordSetsResponse",
            new XElement(Answers + "ResourceRecordSets", found.Take(most).Select(set => set.Write(Answers))),
            new XElement(Answers + "IsTruncated", next is null ? "false" : "true"),
            next is null ? null : new XElement(Answers + "NextRecordName", next.Name),
            next is null ? null : new XElement(Answers + "NextRecordType", next.Type),
            next?.SetId is null ? null : new XElement(Answers + "NextRecordIdentifier", next.SetId),
            new XElement(Answers + "MaxItems", most));
    }

    private XElement Info(string name, string change)
    {
        var (at, isEverywhere) = zones.FindChange(change)
            ?? throw new AwsErrorException(new AwsError("NoSuchChange", $"Could not find resource with ID: {change}", StatusCodes.Status404NotFound));
        return new XElement(Answers + name, new XElement(Answers + "ChangeInfo",
            new XElement(Answers + "Id", $"/change/{change}"),
            new XElement(Answers + "Status", isEverywhere ? "INSYNC" : "PENDING"),
            new XElement(Answers + "SubmittedAt", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))));
    }

    private static IReadOnlyList<(string Action, RecordSet Set)> Batch(byte[] body)
    {
        XElement root;
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(body), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            root = XElement.Load(reader);
        }
        catch (XmlException)
        {
            throw Malformed("The XML you provided was not well-formed or did not validate against our published schema");
        }
        var changes = root.Descendants(Answers + "Change").ToArray();
        if (root.Name != Answers + "ChangeResourceRecordSetsRequest" || changes.Length == 0)
            throw Malformed("1 validation error detected: Value null at 'changeBatch' failed to satisfy constraint: Member must not be null");
        // The service's own schema is a sequence: what stands in another order is refused.
        string[] order = ["Name", "Type", "SetIdentifier", "Weight", "TTL", "ResourceRecords", "AliasTarget"];
        foreach (var set in changes.Select(change => change.Element(Answers + "ResourceRecordSet")))
        {
            var places = set?.Elements().Select(element => Array.IndexOf(order, element.Name.LocalName)).ToArray() ?? [-1];
            if (places.Contains(-1) || !places.SequenceEqual(places.Order()))
                throw Malformed("Unexpected element in ResourceRecordSet");
        }
        return [.. changes.Select(change => (change.Element(Answers + "Action")?.Value ?? "", RecordSet.Read(change.Element(Answers + "ResourceRecordSet")!)))];
    }

    private static AwsErrorException Malformed(string message) => new(AwsError.BadRequest("InvalidInput", message));

    private static int Most(Dictionary<string, string> query, int most) =>
        int.TryParse(query.GetValueOrDefault("maxitems"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked < most ? asked : most;

    private static string Arn(string zone) => $"arn:aws:route53:::hostedzone/{zone}";

    private static string[] Parts(HttpRequest request) => request.Path.Value![Root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
}
