using System.Net;
using System.Net.Sockets;

namespace RagAgent.Aws.Dns;

/// <summary>Records of one name and type, as a hosted zone has them.</summary>
/// <param name="Name">As Route 53 writes it; <see cref="DnsName.AreEqual"/> compares.</param>
/// <param name="Type"><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, …</param>
/// <param name="Ttl">Seconds; null: an alias has none.</param>
/// <param name="Values">What it holds; none of an alias.</param>
/// <param name="AliasTarget">What it is an alias of; null: it is none.</param>
/// <param name="SetIdentifier">By which it is told from others of its name and type, where a routing policy chooses between them; null: there is only this one.</param>
internal sealed record ResourceRecordSet(string Name, string Type, long? Ttl, IReadOnlyList<string> Values, string? AliasTarget = null, string? SetIdentifier = null)
{
    /// <summary>The type of the record that holds an address.</summary>
    public static string RecordTypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "AAAA" : "A";
}
