using System.Net;
using RagAgent.Common;

namespace RagAgent.Diagnostics;

/// <param name="Addresses">This machine's addresses that the app's DNS name points to.</param>
/// <param name="Problems">Why the name does not point here, or not only here. Empty if nothing is wrong, or nothing is known yet.</param>
/// <param name="NextTry">When the name is checked again; null if nothing is wrong.</param>
internal sealed record DnsState(IReadOnlyList<IPAddress> Addresses, IReadOnlyList<Problem> Problems, Moment? NextTry);
