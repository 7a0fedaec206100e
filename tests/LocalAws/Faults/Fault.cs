using System.Text.Json.Serialization;

namespace LocalAws.Faults;

/// <summary>
/// A way to go wrong. <see cref="Delay"/> and <see cref="Throttle"/> change how an answer comes and add to others; each of the
/// rest is the answer, so a request meets one of them at most.
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
    /// An error answer in the words of the service that was asked. What is left null is filled with what AWS says for that type:
    /// the access-denied sentences name the caller, the action and the resource of the request they answer.
    /// </summary>
    /// <param name="Type">AccessDeniedException, ThrottlingException, …; for the registry its code: DENIED, TOOMANYREQUESTS, …; none for IMDS.</param>
    /// <param name="Message"></param>
    /// <param name="Status"></param>
    /// <param name="RetryAfterSeconds">Null: 1 for TOOMANYREQUESTS, else no Retry-After header.</param>
    public sealed record Error(string? Type = null, string? Message = null, int? Status = null, int? RetryAfterSeconds = null) : Fault;

    /// <summary>Accepts the request and never answers, until the fault is cleared (then the connection ends) or the client leaves.</summary>
    public sealed record Hang : Fault;

    public sealed record Delay(double Seconds) : Fault;

    /// <summary>Ends the connection after so many bytes of the body; 0: before anything is answered.</summary>
    public sealed record Cut(long AfterBytes = 0) : Fault;

    /// <summary>Sends the body no faster than this, per response.</summary>
    public sealed record Throttle(long BytesPerSecond) : Fault;

    /// <summary>For <c>imds-credentials</c>: 200, with a document that says that the role may not be assumed.</summary>
    public sealed record RoleRefused : Fault;

    /// <summary>For <c>imds-credentials</c>: credentials that ended yesterday.</summary>
    public sealed record ExpiredCredentials : Fault;

    internal bool OnlyAffectsPace => this is Delay or Throttle;

    internal bool AffectsBody => this is Cut or Throttle;
}
