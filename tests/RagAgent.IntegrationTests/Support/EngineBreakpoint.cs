using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A proxy in front of the engine that counts the requests that change something and halts all traffic at a chosen one.</summary>
internal sealed partial class EngineBreakpoint : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Lock _lock = new();
    private readonly Task _accepting;
    private readonly List<string> _changes = [];
    private (int Number, bool Answered)? _breakpoint;
    private TaskCompletionSource<string> _hit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EngineBreakpoint(string path, string engine)
    {
        Path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _accepting = AcceptAsync(engine);
    }

    public string Path { get; }

    /// <summary>
    /// The changes since the breakpoint was set: <c>create</c>, <c>attach</c>, <c>start</c>, <c>secrets</c>, <c>stop</c>, <c>remove</c>, …
    /// </summary>
    public IReadOnlyList<string> Changes
    {
        get
        {
            lock (_lock)
            {
                return [.. _changes];
            }
        }
    }

    /// <summary>Sets the breakpoint and restarts the count.</summary>
    /// <param name="number">The change to stop at: 1 is the next one.</param>
    /// <param name="answered">False: the engine never receives the request. True: the engine has carried it out, but its response is
    /// lost.</param>
    /// <returns>Completes when the breakpoint is hit, with the name of the change. The client then waits until it disconnects.</returns>
    public Task<string> BreakAt(int number, bool answered)
    {
        lock (_lock)
        {
            _changes.Clear();
            _breakpoint = (number, answered);
            _hit = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _hit.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync(string engine)
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await server.ConnectAsync(new UnixDomainSocketEndPoint(engine));
                var connection = new Connection(client, server);
                _ = PumpAsync(connection, client, server, connection.OnRequest);
                _ = PumpAsync(connection, server, client, connection.OnResponse);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return;   // disposed
        }
    }

    private async Task PumpAsync(Connection connection, Socket from, Socket to, Func<EngineBreakpoint, string, bool> passes)
    {
        var buffer = new byte[65536];
        var isOpen = true;
        try
        {
            while (await from.ReceiveAsync(buffer) is var length and > 0)
            {
                // Once a connection is halted, it stays so: the agent behind it is about to be killed.
                isOpen = isOpen && passes(this, Encoding.ASCII.GetString(buffer, 0, length));
                if (isOpen)
                {
                    await to.SendAsync(buffer.AsMemory(0, length));
                    connection.OnAttachedData(this, from);
                }
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }

    /// <returns>Whether the breakpoint is at this change, and whether it is hit only after the engine's response.</returns>
    private (bool IsBreakpoint, bool Answered) CountChange(string change)
    {
        lock (_lock)
        {
            _changes.Add(change);
            return _breakpoint is { } breakpoint && breakpoint.Number == _changes.Count ? (true, breakpoint.Answered) : (false, false);
        }
    }

    private void Hit(string change) => _hit.TrySetResult(change);

    private static string? ChangeOf(string request) =>
        Head().Match(request) is not { Success: true } head ? null : (head.Groups["method"].Value, head.Groups["path"].Value) switch
        {
            ("POST", "/containers/create") => "create",
            ("POST", "/images/create") => "pull",
            ("DELETE", var path) when path.StartsWith("/images/", StringComparison.Ordinal) => "remove-image",
            ("DELETE", _) => "remove",
            ("POST", var path) => path[(path.LastIndexOf('/') + 1)..],   // start, attach, stop, rename, tag
            _ => null,
        };

    [GeneratedRegex(@"^(?<method>GET|HEAD|POST|PUT|DELETE) (/v[0-9.]+)?(?<path>/[^ ?]*)")]
    private static partial Regex Head();

    private sealed class Connection(Socket client, Socket server)
    {
        private string? _change;
        private bool _isHitting;
        private bool _isAttached;

        public Func<EngineBreakpoint, string, bool> OnRequest => (owner, text) =>
        {
            var change = ChangeOf(text) ?? (_isAttached ? "secrets" : null);
            _isAttached = _isAttached || change == "attach";
            if (change is null || owner.CountChange(change) is not (true, var answered))
            {
                return true;
            }
            if (!answered)
            {
                owner.Hit(change);
                return false;
            }
            (_change, _isHitting) = (change, true);
            return true;
        };

        public Func<EngineBreakpoint, string, bool> OnResponse => (owner, _) =>
        {
            if (!_isHitting)
            {
                return true;
            }
            owner.Hit(_change!);
            return false;
        };

        /// <summary>What is written to an attached container gets no response, so the breakpoint is hit once it was sent.</summary>
        public void OnAttachedData(EngineBreakpoint owner, Socket from)
        {
            if (from == client && _isHitting && _change == "secrets" && server.Connected)
            {
                owner.Hit(_change);
            }
        }
    }
}
