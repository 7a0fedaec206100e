using System.Text;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace RagAgent;

/// <summary>Where the process's lines go (journal, terminal or file, as standard output is connected), and the secrets that are taken out of them.</summary>
/// <remarks>One for the whole life of the process, as there is one standard output: a reload builds all else anew, and has something to say meanwhile.</remarks>
internal sealed class AgentLogging : IDisposable
{
    // Wide enough that what is flushed leaves the process in one call: a kill of the agent then tears no batch of the app's lines.
    private const int BufferSize = 64 * 1024;

    private readonly JournalSocket? _journal;
    private readonly SerilogLoggerFactory _loggers;

    public AgentLogging()
        : this(OutputSink.Detect(), new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), BufferSize), JournalSocket.Detect())
    {
    }

    public AgentLogging(OutputKind kind, TextWriter output, JournalSocket? journal = null)
    {
        _journal = journal;
        Sink = new OutputSink(kind, Vault.Scrub, output, journal);
        Logger = new LoggerConfiguration()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Error)
            .MinimumLevel.Override("Yarp", LogEventLevel.Fatal)   // the front door tells visitors itself, and the supervision the operator
            .Filter.ByExcluding(HostLogFilter.IsRedundant)
            .Destructure.AsScalar<Problem>()   // not its text: the journal has a field for its code
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
