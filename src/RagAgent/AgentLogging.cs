using System.Text;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace RagAgent;

/// <summary>The log of the process: to the journal, a terminal or a file, depending on standard output, with secrets scrubbed.</summary>
/// <remarks>Lives as long as the process, unlike the host, which a reload replaces: there is only one standard output.</remarks>
internal sealed class AgentLogging : IDisposable
{
    // Large enough that a flush is a single write, so that killing the agent can't split a batch of the app's lines.
    private const int BufferSize = 64 * 1024;

    private readonly JournalSocket? _journal;
    private readonly SerilogLoggerFactory _loggers;

    public AgentLogging()
        : this(
            OutputSink.Detect(),
            new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferSize),
            JournalSocket.Detect())
    {
    }

    public AgentLogging(OutputKind kind, TextWriter output, JournalSocket? journal = null)
    {
        _journal = journal;
        Sink = new OutputSink(kind, Vault.Scrub, output, journal);
        Logger = new LoggerConfiguration()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Error)
            .MinimumLevel.Override("Yarp", LogEventLevel.Fatal)   // the front door answers clients, and the supervision logs for operators
            .Filter.ByExcluding(HostLogFilter.IsRedundant)
            .Destructure.AsScalar<Problem>()   // as an object, because the journal has a field for its code
            .WriteTo.Sink(Sink)
            .CreateLogger();
        _loggers = new SerilogLoggerFactory(Logger, dispose: true);
        Sink.LinesDropped = lost => CreateLogger<OutputSink>().LinesDropped(lost);
    }

    public SecretVault Vault { get; } = new();

    public OutputSink Sink { get; }

    public Serilog.ILogger Logger { get; }

    public ILogger<T> CreateLogger<T>() => _loggers.CreateLogger<T>();

    public void Dispose()
    {
        _loggers.Dispose();
        _journal?.Dispose();
    }
}
