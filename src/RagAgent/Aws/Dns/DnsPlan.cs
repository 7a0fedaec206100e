using System.Net;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Aws.Dns;

/// <summary>What must change so that a name points to this machine. Pure.</summary>
/// <param name="UpToDate">Addresses whose record is right.</param>
/// <param name="ToWrite">Addresses whose record must be written.</param>
/// <param name="Problems">What keeps the name from pointing to this machine, or only to this machine. A person must decide.</param>
internal sealed record DnsPlan(IReadOnlyList<IPAddress> UpToDate, IReadOnlyList<IPAddress> ToWrite, IReadOnlyList<Problem> Problems)
{
    private static readonly string[] Types = ["A", "AAAA"];

    /// <param name="dns">The name and its TTL.</param>
    /// <param name="addresses">This machine's public addresses, at most one IPv4 and one IPv6 address.</param>
    /// <param name="recordSets">Records of the zone. Those of other names are ignored.</param>
    public static DnsPlan Of(DnsConfig dns, IReadOnlyList<IPAddress> addresses, IReadOnlyList<ResourceRecordSet> recordSets)
    {
        var sameName = recordSets.Where(set => DnsName.AreEqual(set.Name, dns.Name)).ToArray();
        if (sameName.FirstOrDefault(set => set.Type == "CNAME") is { } cname)
        {
            var target = string.Join(", ", cname.Values.Select(DnsName.Normalize));
            return new DnsPlan([], [], [NameTaken(dns, $"{dns.Name} is a CNAME record ({target})")]);
        }
        var (upToDate, toWrite, problems) = (new List<IPAddress>(), new List<IPAddress>(), new List<Problem>());
        foreach (var type in Types)
        {
            var sets = sameName.Where(set => set.Type == type).ToArray();
            var address = addresses.FirstOrDefault(address => ResourceRecordSet.RecordTypeOf(address) == type);
            if (address is null)
            {
                if (sets.Length > 0 && addresses.Count > 0)
                {
                    problems.Add(StaleRecord(dns, type, sets[0]));
                }
            }
            else if (sets.Select(set => ForeignRecordProblem(dns, set)).FirstOrDefault(problem => problem is not null) is { } taken)
            {
                problems.Add(taken);
            }
            else
            {
                (sets is [var set] && Matches(set, address, dns.Ttl) ? upToDate : toWrite).Add(address);
            }
        }
        return new DnsPlan(upToDate, toWrite, problems);
    }

    public static Problem NoPublicAddress(DnsConfig dns) => new(ProblemCatalog.DnsNoAddress,
        $"The instance has no public address, so {dns.Name} can't point to it.",
        "Give it one: an Elastic IP address, or a subnet that assigns public addresses at launch. If clients connect another way (a load " +
        $"balancer, a VPN), set dns to null. {ExceptionMapping.RetriesAutomatically}");

    private static bool Matches(ResourceRecordSet set, IPAddress address, int ttl) =>
        set.Ttl == ttl && set.Values is [var value] && IPAddress.TryParse(value, out var held) && held.Equals(address);

    /// <summary>The problem with a record that the agent can't have written; null if it can.</summary>
    private static Problem? ForeignRecordProblem(DnsConfig dns, ResourceRecordSet set) => set switch
    {
        { SetIdentifier: { } id } => NameTaken(dns, $"The {set.Type} record of {dns.Name} belongs to a routing policy ('{id}')"),
        { AliasTarget: { } target } => NameTaken(dns, $"The {set.Type} record of {dns.Name} is an alias ({DnsName.Normalize(target)})"),
        { Values.Count: > 1 } => NameTaken(dns, $"The {set.Type} record of {dns.Name} has {set.Values.Count} addresses"),
        _ => null,
    };

    private static Problem NameTaken(DnsConfig dns, string record) => new(ProblemCatalog.DnsNameTaken,
        $"{record}. The agent did not create it and does not overwrite it, so clients don't reach this machine by that name.",
        $"If nothing needs the record, delete it from the hosted zone {dns.Zone}. Otherwise set dns.name to another name. " +
        ExceptionMapping.RetriesAutomatically);

    private static Problem StaleRecord(DnsConfig dns, string type, ResourceRecordSet set)
    {
        var (record, protocol) = type == "A" ? ("an A record", "IPv4") : ("an AAAA record", "IPv6");
        return new Problem(ProblemCatalog.DnsElsewhere,
            $"{dns.Name} has {record} ({set.AliasTarget ?? string.Join(", ", set.Values)}), but this machine has no public {protocol} " +
            $"address: clients that use {protocol} are sent elsewhere.",
            $"Delete that record from the hosted zone {dns.Zone}, or give the machine a public {protocol} address. " +
            ExceptionMapping.RetriesAutomatically);
    }
}
