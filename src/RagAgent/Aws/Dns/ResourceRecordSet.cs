using System.Net;
using System.Net.Sockets;

namespace RagAgent.Aws.Dns;

/// <summary>The records of one name and type in a hosted zone.</summary>
/// <param name="Name">As Route 53 writes it. Compare with <see cref="DnsName.AreEqual"/>.</param>
/// <param name="Type"><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, …</param>
/// <param name="Ttl">In seconds; null for an alias.</param>
/// <param name="Values">The records' values; empty for an alias.</param>
/// <param name="AliasTarget">The target of an alias; null if it isn't one.</param>
/// <param name="SetIdentifier">
/// Tells it from other sets of the same name and type among which a routing policy chooses; null if there is no policy.
/// </param>
internal sealed record ResourceRecordSet(
    string Name, string Type, long? Ttl, IReadOnlyList<string> Values, string? AliasTarget = null, string? SetIdentifier = null)
{
    /// <summary>The record type for an address.</summary>
    public static string RecordTypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "AAAA" : "A";
}
