using Microsoft.Extensions.Logging;

namespace RagAgent.Tests.Bench;

/// <summary>A logger that writes down what is said.</summary>
internal class Heard(List<string> said) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => said.Add(formatter(state, exception));
}

/// <summary>The same for who asks for a logger of its own.</summary>
internal sealed class Heard<T>(List<string> said) : Heard(said), ILogger<T>;
