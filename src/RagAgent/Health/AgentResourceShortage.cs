using System.Net.Sockets;

namespace RagAgent.Health;

/// <summary>Tells a probe that could not be made from one that the app did not answer well.</summary>
internal static class AgentResourceShortage
{
    // As Linux numbers them; the framework gives them as they are when a file can't be opened.
    private const int OutOfMemory = 12, TooManyFilesInSystem = 23, TooManyFiles = 24;

    /// <returns>What the agent is short of, in few words; null when the exception is about the other side.</returns>
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
        // What the framework has no name for, as the kernel's own want of memory: nothing that an app can answer.
        SocketException { SocketErrorCode: SocketError.SocketError } s => $"no connection could be tried ({s.Message.TrimEnd('.')})",
        IOException { HResult: TooManyFiles or TooManyFilesInSystem } => "no file descriptor is free",
        IOException { HResult: OutOfMemory } or OutOfMemoryException => "memory is short",
        _ => null,
    };
}
