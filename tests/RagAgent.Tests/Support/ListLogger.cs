using Microsoft.Extensions.Logging;

namespace RagAgent.Tests.Support;

/// <summary>Collects what is logged at <paramref name="minimum"/> or above.</summary>
internal class ListLogger(List<string> messages, LogLevel minimum = LogLevel.Trace) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            lock (messages)
            {
                messages.Add(formatter(state, exception));
            }
        }
    }
}

internal sealed class ListLogger<T>(List<string> messages) : ListLogger(messages), ILogger<T>;
