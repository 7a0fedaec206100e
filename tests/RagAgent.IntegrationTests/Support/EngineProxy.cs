using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A proxy in front of the real engine. A test can answer requests itself; all others are passed on.</summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly HttpMessageInvoker _engine;

    private EngineProxy(string path, string engine, Func<HttpContext, Task<bool>> intercept)
    {
        Socket = new Uri($"unix://{path}");
        _engine = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(engine), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(path));
        builder.Services.AddLogging().AddHttpForwarder();
        // A request that hangs on purpose must not delay the end of the test.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(20));
        _server = builder.Build();
        var forwarder = _server.Services.GetRequiredService<IHttpForwarder>();
        _server.Run(async context =>
        {
            if (!await intercept(context))
            {
                await forwarder.SendAsync(
                    context, "http://engine", _engine, new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(10) });
            }
        });
    }

    public Uri Socket { get; }

    /// <param name="path">The socket to listen on.</param>
    /// <param name="engine">The path of the real engine's socket.</param>
    /// <param name="intercept">Answers a request, or returns false to pass it on.</param>
    public static async Task<EngineProxy> StartAsync(string path, string engine, Func<HttpContext, Task<bool>> intercept)
    {
        var proxy = new EngineProxy(path, engine, intercept);
        await proxy._server.StartAsync();
        return proxy;
    }

    /// <summary>Answers pulls with these progress messages.</summary>
    public static Func<HttpContext, Task<bool>> AnswerPull(params string[] messages) => AnswerPull(async context =>
    {
        foreach (var message in messages)
        {
            await WriteMessageAsync(context, message);
        }
    });

    public static Func<HttpContext, Task<bool>> AnswerPull(Func<HttpContext, Task> answer) => async context =>
    {
        if (!context.Request.Path.Value!.EndsWith("/images/create", StringComparison.Ordinal))
        {
            return false;
        }
        context.Response.ContentType = "application/json";
        await answer(context);
        return true;
    };

    public static async Task WriteMessageAsync(HttpContext context, string message)
    {
        await context.Response.WriteAsync(message + "\r\n");
        await context.Response.Body.FlushAsync();
    }

    /// <summary>Sends nothing until the client disconnects.</summary>
    public static async Task HangAsync(HttpContext context)
    {
        var disconnected = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(() => disconnected.TrySetResult());
        await disconnected.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        await _server.DisposeAsync();
        _engine.Dispose();
    }
}
