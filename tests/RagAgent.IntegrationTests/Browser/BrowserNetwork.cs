using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>
/// A network namespace for a browser, with nothing but loopback. Ports of this machine's loopback are forwarded into it.
/// Chromium aborts requests, and closes HTTP/2 sessions, whenever an interface comes or goes, which containers of other tests cause all
/// the time.
/// </summary>
internal sealed class BrowserNetwork : IAsyncDisposable
{
    private const int CloneNewNet = 0x40000000;

    private readonly Process _holder;   // the namespace lives as long as this process
    private readonly string _folder = Directory.CreateTempSubdirectory("ragbn.").FullName;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _forwarding = [];

    private BrowserNetwork(Process holder)
    {
        _holder = holder;
        Program = Path.Combine(_folder, "chromium");
        File.WriteAllText(Program, $"#!/bin/sh\nexec nsenter --net=/proc/{holder.Id}/ns/net /usr/bin/chromium \"$@\"\n");
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>Starts Chromium inside.</summary>
    public string Program { get; }

    public static async Task<BrowserNetwork> CreateAsync()
    {
        var holder = ProcessRunner.Start("unshare", ["--net", "sh", "-c", "ip link set lo up && echo up && read _"]);
        if (await holder.StandardOutput.ReadLineAsync() != "up")
        {
            throw new InvalidOperationException($"No network namespace: {await holder.StandardError.ReadToEndAsync()}");
        }
        return new BrowserNetwork(holder);
    }

    /// <summary>Makes 127.0.0.1:port of this machine reachable inside, at the same address.</summary>
    public void Forward(int port)
    {
        Socket? listener = null;
        Exception? failure = null;
        // A socket belongs to the namespace that its thread is in when it creates it. The thread ends there, so that no other work gets it.
        var thread = new Thread(() =>
        {
            try
            {
                using var network = File.OpenHandle($"/proc/{_holder.Id}/ns/net");
                if (SetNamespace((int)network.DangerousGetHandle(), CloneNewNet) != 0)
                {
                    throw new InvalidOperationException($"setns failed: {Marshal.GetLastPInvokeErrorMessage()}");
                }
                listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
                listener.Listen(512);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw new InvalidOperationException($"Port {port} can't be forwarded to the browser.", failure);
        }
        _forwarding.Add(AcceptAsync(listener!, port));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_forwarding);
        _holder.StandardInput.Close();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
        _stopping.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AcceptAsync(Socket listener, int port)
    {
        using (listener)
        {
            var connections = new List<Task>();
            try
            {
                while (true)
                {
                    connections.Add(ForwardAsync(await listener.AcceptAsync(_stopping.Token), port));
                }
            }
            catch (OperationCanceledException)
            {
                await Task.WhenAll(connections);
            }
        }
    }

    private async Task ForwardAsync(Socket browser, int port)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (browser)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, port, _stopping.Token);
                await Task.WhenAll(CopyAsync(browser, server), CopyAsync(server, browser));
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                browser.Close(0);   // a reset, as without a forwarder
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        try
        {
            var buffer = new byte[64 * 1024];
            int count;
            while ((count = await from.ReceiveAsync(buffer, _stopping.Token)) > 0)
            {
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stopping.Token);
                }
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A reset on one side resets the other one, and ends the copy in the other direction.
            from.Close(0);
            to.Close(0);
        }
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int descriptor, int kind);
}
