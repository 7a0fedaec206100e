using Microsoft.Extensions.Logging;

namespace RagAgent.Tests.Support;

/// <summary>A logger that writes down what is said.</summary>
internal class ListLogger(List<string> messages) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => messages.Add(formatter(state, exception));
}

/// <summary>The same for who asks for a logger of its own.</summary>
internal sealed class ListLogger<T>(List<string> messages) : ListLogger(messages), ILogger<T>;
