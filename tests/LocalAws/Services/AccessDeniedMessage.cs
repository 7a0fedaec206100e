namespace LocalAws.Services;

/// <summary>IAM's message for a denied call, the same in every service.</summary>
internal static class AccessDeniedMessage
{
    public static string Format(string? principal, string action, string resource) =>
        $"User: {principal ?? "anonymous"} is not authorized to perform: {action} on resource: {resource} "
        + $"because no identity-based policy allows the {action} action";
}
