using System.Net;
using System.Net.Sockets;

namespace RagAgent.Aws;

/// <summary>Records of one name and type, as a hosted zone has them.</summary>
/// <param name="Name">As Route 53 writes it; <see cref="DnsName.AreSame"/> compares.</param>
/// <param name="Type"><c>A</c>, <c>AAAA</c>, <c>CNAME</c>, …</param>
/// <param name="Ttl">Seconds; null: an alias has none.</param>
/// <param name="Values">What it holds; none of an alias.</param>
/// <param name="Alias">What it is an alias of; null: it is none.</param>
/// <param name="SetId">By which it is told from others of its name and type, where a routing policy chooses between them; null: there is only this one.</param>
internal sealed record RecordSet(string Name, string Type, long? Ttl, IReadOnlyList<string> Values, string? Alias = null, string? SetId = null)
{
    /// <summary>The type of the record that holds an address.</summary>
    public static string TypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? "AAAA" : "A";
}
