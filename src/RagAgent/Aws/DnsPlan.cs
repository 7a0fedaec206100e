using System.Net;
using RagAgent.Configuration;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>What is to be done so that a name points at this machine. Pure.</summary>
/// <param name="Standing">Addresses whose record is as it should be.</param>
/// <param name="Writing">Addresses whose record is to be written.</param>
/// <param name="Problems">What keeps it from pointing here, or only here; a person has to decide about it.</param>
internal sealed record DnsPlan(IReadOnlyList<IPAddress> Standing, IReadOnlyList<IPAddress> Writing, IReadOnlyList<Problem> Problems)
{
    /// <summary>The code of what leads some visitors elsewhere, while others get here.</summary>
    public const string Elsewhere = "dns-elsewhere";

    private static readonly string[] Types = ["A", "AAAA"];

    /// <param name="dns">Which name, and for how long it may be remembered.</param>
    /// <param name="here">This machine's public addresses, at most one of each kind.</param>
    /// <param name="found">The records of the zone, those of other names among them.</param>
    public static DnsPlan Of(DnsConfig dns, IReadOnlyList<IPAddress> here, IReadOnlyList<RecordSet> found)
    {
        var named = found.Where(set => DnsName.AreSame(set.Name, dns.Name)).ToArray();
        if (named.FirstOrDefault(set => set.Type == "CNAME") is { } cname)
        {
            return new DnsPlan([], [], [Taken(dns, $"{dns.Name} is a CNAME record ({string.Join(", ", cname.Values.Select(DnsName.Plain))})")]);
        }
        var (standing, writing, problems) = (new List<IPAddress>(), new List<IPAddress>(), new List<Problem>());
        foreach (var type in Types)
        {
            var sets = named.Where(set => set.Type == type).ToArray();
            var address = here.FirstOrDefault(address => RecordSet.TypeOf(address) == type);
            if (address is null)
            {
                if (sets.Length > 0 && here.Count > 0)
                {
                    problems.Add(Stale(dns, type, sets[0]));
                }
            }
            else if (sets.Select(set => OfOthers(dns, set)).FirstOrDefault(problem => problem is not null) is { } taken)
            {
                problems.Add(taken);
            }
            else
            {
                (sets is [var set] && Holds(set, address, dns.Ttl) ? standing : writing).Add(address);
            }
        }
        return new DnsPlan(standing, writing, problems);
    }

    /// <summary>There is nothing that the name could point at.</summary>
    /// <param name="dns">Which name.</param>
    public static Problem NoAddress(DnsConfig dns) => new("dns-no-address",
        $"The instance has no public address, so {dns.Name} can't be pointed at it.",
        "Give it one: an Elastic IP address, or a subnet that assigns public addresses at launch. Where visitors come another way (a load balancer, a VPN), set dns to null. The agent looks again by itself.");

    private static bool Holds(RecordSet set, IPAddress address, int ttl) =>
        set.Ttl == ttl && set.Values is [var value] && IPAddress.TryParse(value, out var held) && held.Equals(address);

    /// <summary>Why a record is none that the agent may have written; null: it may be.</summary>
    private static Problem? OfOthers(DnsConfig dns, RecordSet set) => set switch
    {
        { SetId: { } id } => Taken(dns, $"The {set.Type} record of {dns.Name} is one that a routing policy chooses from ('{id}')"),
        { Alias: { } target } => Taken(dns, $"The {set.Type} record of {dns.Name} is an alias ({DnsName.Plain(target)})"),
        { Values.Count: > 1 } => Taken(dns, $"The {set.Type} record of {dns.Name} holds {set.Values.Count} addresses"),
        _ => null,
    };

    private static Problem Taken(DnsConfig dns, string how) => new("dns-name-taken",
        $"{how}, which the agent would not write and does not overwrite: visitors are led there, and not to this machine.",
        $"Delete it in the hosted zone {dns.Zone} when it is not needed, or set dns.name to another name; the agent looks again by itself.");

    private static Problem Stale(DnsConfig dns, string type, RecordSet set) => new(Elsewhere,
        $"{dns.Name} has {(type == "A" ? "an A" : "an AAAA")} record ({set.Alias ?? string.Join(", ", set.Values)}), and this machine has no public {(type == "A" ? "IPv4" : "IPv6")} address: who comes by {(type == "A" ? "IPv4" : "IPv6")} is led elsewhere.",
        $"Delete that record in the hosted zone {dns.Zone}, or give the machine such an address; the agent looks again by itself.");
}
