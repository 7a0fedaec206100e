
namespace LocalAws.Faults;

/// <summary>Where and how often a fault happens.</summary>
/// <param name="Operation">A name from <see cref="Requests.Operations"/>, or an IAM action.</param>
/// <param name="Fault">What happens.</param>
/// <param name="Times">For how many requests; null for all, until the fault is cleared.</param>
/// <param name="Method">Only requests with this HTTP method; null for all.</param>
/// <param name="Role">Only requests signed by this role; null for all.</param>
public sealed record FaultRule(string Operation, Fault Fault, int? Times = null, string? Method = null, string? Role = null);
