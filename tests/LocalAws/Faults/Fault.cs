using System.Text.Json.Serialization;

namespace LocalAws.Faults;

/// <summary>
/// A fault. <see cref="Delay"/> and <see cref="Throttle"/> change the pace of a response and combine with others. All other faults
/// replace the response, so at most one of them applies to a request.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Error), "error")]
[JsonDerivedType(typeof(Hang), "hang")]
[JsonDerivedType(typeof(Delay), "delay")]
[JsonDerivedType(typeof(Cut), "cut")]
[JsonDerivedType(typeof(Throttle), "throttle")]
[JsonDerivedType(typeof(RoleRefused), "role-refused")]
[JsonDerivedType(typeof(ExpiredCredentials), "expired-credentials")]
public abstract record Fault
{
    /// <summary>
    /// An error in the format of the service. Null values are replaced with what AWS sends for that type: access-denied messages name
    /// the caller, the action and the resource of the request.
    /// </summary>
    /// <param name="Type">
    /// AccessDeniedException, ThrottlingException, …; for the registry DENIED, TOOMANYREQUESTS, …; none for IMDS.
    /// </param>
    /// <param name="Message">The error's text.</param>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="RetryAfterSeconds">If null, 1 for TOOMANYREQUESTS and no Retry-After header otherwise.</param>
    public sealed record Error(string? Type = null, string? Message = null, int? Status = null, int? RetryAfterSeconds = null) : Fault;

    /// <summary>
    /// Accepts the request but never answers, until the fault is cleared (then the connection ends) or the client leaves.
    /// </summary>
    public sealed record Hang : Fault;

    public sealed record Delay(double Seconds) : Fault;

    /// <summary>Ends the connection after this many bytes of the body; with 0, before any response.</summary>
    public sealed record Cut(long AfterBytes = 0) : Fault;

    /// <summary>Sends the body no faster than this, per response.</summary>
    public sealed record Throttle(long BytesPerSecond) : Fault;

    /// <summary>For <c>imds-credentials</c>: status 200 with a document that says that the role can't be assumed.</summary>
    public sealed record RoleRefused : Fault;

    /// <summary>For <c>imds-credentials</c>: credentials that expired yesterday.</summary>
    public sealed record ExpiredCredentials : Fault;

    internal bool OnlyAffectsPace => this is Delay or Throttle;

    internal bool AffectsBody => this is Cut or Throttle;
}
