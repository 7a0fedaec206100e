namespace RagAgent.Common;

/// <summary>The user that the systemd unit runs the agent as.</summary>
internal static class ServiceAccount
{
    public const string Name = "ragagent";
}
