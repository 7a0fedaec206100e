namespace RagAgent.Supervision.State;

/// <summary>Who wants the app to be stopped. It holds until somebody starts it or the machine boots anew.</summary>
internal enum Hold
{
    /// <summary><c>ragagent stop</c>.</summary>
    Operator,

    /// <summary><c>docker stop</c>.</summary>
    DockerStop,
}
