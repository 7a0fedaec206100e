namespace LocalAws.Faults;

/// <summary>Where and how often a fault happens.</summary>
/// <param name="Operation">As <see cref="Requests.Operations"/> or an IAM action names it.</param>
/// <param name="Fault"></param>
/// <param name="Times">How many requests meet it; null: all, until it is cleared.</param>
/// <param name="Method">Only requests with this HTTP method; null: all.</param>
/// <param name="Role">Only requests signed by this role; null: all.</param>
public sealed record FaultRule(string Operation, Fault Fault, int? Times = null, string? Method = null, string? Role = null);
