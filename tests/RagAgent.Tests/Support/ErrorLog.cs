using Microsoft.Extensions.Logging;

namespace RagAgent.Tests.Support;

/// <summary>Collects what is logged as an error or worse, by anyone: the least that the journal shows of the framework.</summary>
internal sealed class ErrorLog(List<string> lines) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(lines);

    public void Dispose()
    {
    }

    private sealed class Logger(List<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;   // not every caller asks
            }
            lock (lines)
            {
                lines.Add(formatter(state, exception));
            }
        }
    }
}
