namespace RagAgent.Configuration;

/// <summary>The URL paths that the front door keeps for itself. Everything else belongs to the app.</summary>
internal static class ReservedUrlPaths
{
    public const string Prefix = "/_ragagent";

    /// <summary>The status page's server-sent events.</summary>
    public const string Events = Prefix + "/events";
}
