using System.Net;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Aws.Dns;

/// <summary>What is to be done so that a name points at this machine. Pure.</summary>
/// <param name="UpToDate">Addresses whose record is as it should be.</param>
/// <param name="ToWrite">Addresses whose record is to be written.</param>
/// <param name="Problems">What keeps it from pointing here, or only here; a person has to decide about it.</param>
internal sealed record DnsPlan(IReadOnlyList<IPAddress> UpToDate, IReadOnlyList<IPAddress> ToWrite, IReadOnlyList<Problem> Problems)
{
    private static readonly string[] Types = ["A", "AAAA"];

    /// <param name="dns">Which name, and for how long it may be remembered.</param>
    /// <param name="addresses">This machine's public addresses, at most one of each kind.</param>
    /// <param name="recordSets">The records of the zone, those of other names among them.</param>
    public static DnsPlan Of(DnsConfig dns, IReadOnlyList<IPAddress> addresses, IReadOnlyList<ResourceRecordSet> recordSets)
    {
        var sameName = recordSets.Where(set => DnsName.AreEqual(set.Name, dns.Name)).ToArray();
        if (sameName.FirstOrDefault(set => set.Type == "CNAME") is { } cname)
        {
            return new DnsPlan([], [], [NameTaken(dns, $"{dns.Name} is a CNAME record ({string.Join(", ", cname.Values.Select(DnsName.Normalize))})")]);
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

    /// <summary>There is nothing that the name could point at.</summary>
    /// <param name="dns">Which name.</param>
    public static Problem NoPublicAddress(DnsConfig dns) => new(ProblemCatalog.DnsNoAddress,
        $"The instance has no public address, so {dns.Name} can't be pointed at it.",
        "Give it one: an Elastic IP address, or a subnet that assigns public addresses at launch. Where visitors come another way (a load balancer, a VPN), set dns to null. The agent looks again by itself.");

    private static bool Matches(ResourceRecordSet set, IPAddress address, int ttl) =>
        set.Ttl == ttl && set.Values is [var value] && IPAddress.TryParse(value, out var held) && held.Equals(address);

    /// <summary>Why a record is none that the agent may have written; null: it may be.</summary>
    private static Problem? ForeignRecordProblem(DnsConfig dns, ResourceRecordSet set) => set switch
    {
        { SetIdentifier: { } id } => NameTaken(dns, $"The {set.Type} record of {dns.Name} is one that a routing policy chooses from ('{id}')"),
        { AliasTarget: { } target } => NameTaken(dns, $"The {set.Type} record of {dns.Name} is an alias ({DnsName.Normalize(target)})"),
        { Values.Count: > 1 } => NameTaken(dns, $"The {set.Type} record of {dns.Name} holds {set.Values.Count} addresses"),
        _ => null,
    };

    private static Problem NameTaken(DnsConfig dns, string how) => new(ProblemCatalog.DnsNameTaken,
        $"{how}, which the agent would not write and does not overwrite: visitors are led there, and not to this machine.",
        $"Delete it in the hosted zone {dns.Zone} when it is not needed, or set dns.name to another name; the agent looks again by itself.");

    private static Problem StaleRecord(DnsConfig dns, string type, ResourceRecordSet set) => new(ProblemCatalog.DnsElsewhere,
        $"{dns.Name} has {(type == "A" ? "an A" : "an AAAA")} record ({set.AliasTarget ?? string.Join(", ", set.Values)}), and this machine has no public {(type == "A" ? "IPv4" : "IPv6")} address: who comes by {(type == "A" ? "IPv4" : "IPv6")} is led elsewhere.",
        $"Delete that record in the hosted zone {dns.Zone}, or give the machine such an address; the agent looks again by itself.");
}
