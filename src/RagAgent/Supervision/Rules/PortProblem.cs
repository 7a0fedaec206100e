using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What a container that doesn't answer listens on instead, in an operator's words.</summary>
internal static class PortProblem
{
    /// <returns>Null: nothing is known, or it listens where it should and the port is not the cause.</returns>
    public static Problem? Of(ContainerState? slot, Policy policy)
    {
        if (slot is not ContainerState.Probing { Ports.Found: { } found } probing)
        {
            return null;
        }
        var limit = Humanize.Duration(Probing.StartupLimit(probing, policy));
        return Explain(found) is var (what, remedy)
            ? new Problem(
                ProblemCatalog.AppWrongPort,
                $"Nothing answers on port {found.Expected} of the app's container {probing.Container.Name}: {what}.{Exposed(found)} " +
                $"It is stopped unless it is ready within {limit} of its start.",
                remedy)
            : null;
    }

    private static (string What, string Remedy)? Explain(ContainerPorts found)
    {
        var expected = found.Expected;
        var onExpected = found.Listening.Where(listening => listening.Port == expected).ToArray();
        var reachable = found.Listening.Where(listening => !listening.IsLoopbackOnly).Select(listening => listening.Port).ToArray();
        if (onExpected.Any(listening => !listening.IsLoopbackOnly))
        {
            return null;
        }
        if (onExpected.Length > 0)
        {
            return ("the app listens there on 127.0.0.1 only, which can't be reached from outside the container",
                "Make the app listen on 0.0.0.0 (Streamlit: STREAMLIT_SERVER_ADDRESS=0.0.0.0).");
        }
        return (found.Listening, reachable) switch
        {
            ([], _) => (
                "it doesn't listen on any port",
                "It may still be loading, or wait for something: 'ragagent logs --app' shows its output."),
            (_, [var single]) => (
                $"the app listens on port {single}",
                $"Set container.port to {single}, or make the app listen on {expected} (Streamlit: STREAMLIT_SERVER_PORT={expected})."),
            (_, []) => (
                $"the app listens on port {string.Join(", ", found.Listening.Select(listening => listening.Port))} of 127.0.0.1 only",
                $"Make the app listen on 0.0.0.0 and port {expected} (Streamlit: STREAMLIT_SERVER_ADDRESS and STREAMLIT_SERVER_PORT), " +
                "or correct container.port."),
            _ => (
                $"the app listens on the ports {string.Join(", ", reachable)}",
                $"Set container.port to the right one, or make the app listen on {expected} (Streamlit: STREAMLIT_SERVER_PORT={expected})."),
        };
    }

    private static string Exposed(ContainerPorts found) => found.Exposed switch
    {
        [] => "",
        [var single] => $" Its image exposes port {single}.",
        var several => $" Its image exposes the ports {string.Join(", ", several)}.",
    };
}
