using System.Net.Sockets;

namespace RagAgent.Health;

/// <summary>Distinguishes a probe that the agent could not send from one that the app failed.</summary>
internal static class AgentResourceShortage
{
    // Linux errno values, which .NET passes through when a file can't be opened.
    private const int OutOfMemory = 12, TooManyFilesInSystem = 23, TooManyFiles = 24;

    /// <returns>What the agent is short of; null if the other side caused the exception.</returns>
    public static string? Find(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (Describe(current) is { } shortage)
            {
                return shortage;
            }
        }
        return null;
    }

    private static string? Describe(Exception exception) => exception switch
    {
        SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } => "no file descriptor is free",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "no local port is free",
        SocketException { SocketErrorCode: SocketError.NoBufferSpaceAvailable } => "the kernel has no memory for a connection",
        // Errors that .NET has no name for, such as ENOMEM. No app can cause them.
        SocketException { SocketErrorCode: SocketError.SocketError } error =>
            $"no connection could be tried ({error.Message.TrimEnd('.')})",
        IOException { HResult: TooManyFiles or TooManyFilesInSystem } => "no file descriptor is free",
        IOException { HResult: OutOfMemory } or OutOfMemoryException => "memory is short",
        _ => null,
    };
}
