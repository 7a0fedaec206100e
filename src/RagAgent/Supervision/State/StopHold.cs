namespace RagAgent.Supervision.State;

/// <summary>Who stopped the app. It stays stopped until someone starts it or the machine reboots.</summary>
internal enum StopHold
{
    /// <summary><c>ragagent stop</c>.</summary>
    Operator,

    /// <summary><c>docker stop</c>.</summary>
    DockerStop,
}
