using Microsoft.Extensions.Logging;

namespace RagAgent.Tests.Support;

/// <summary>Collects what all categories log at <paramref name="minimum"/> or above.</summary>
internal sealed class ListLoggerProvider(List<string> messages, LogLevel minimum = LogLevel.Trace) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new ListLogger(messages, minimum);

    public void Dispose()
    {
    }
}
