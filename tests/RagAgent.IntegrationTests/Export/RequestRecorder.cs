using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RagAgent.IntegrationTests.Export;

/// <summary>An AWS service on loopback that accepts every call and records it.</summary>
internal sealed class RequestRecorder : IAsyncDisposable
{
    private readonly WebApplication _server;

    private RequestRecorder(WebApplication server) => _server = server;

    public string Address => _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>The body of the last call, or empty if there was none.</summary>
    public string Body { get; private set; } = "";

    /// <summary>The operation from the last call's X-Amz-Target header.</summary>
    public string Target { get; private set; } = "";

    public static async Task<RequestRecorder> StartAsync(CancellationToken stopping)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var recorder = new RequestRecorder(builder.Build());
        recorder._server.Run(recorder.AnswerAsync);
        await recorder._server.StartAsync(stopping);
        return recorder;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext call)
    {
        using var reader = new StreamReader(call.Request.Body);
        Body = await reader.ReadToEndAsync(call.RequestAborted);
        Target = call.Request.Headers["X-Amz-Target"].ToString();
        await call.Response.WriteAsync(Target.Length > 0 ? "{}" : "<CreateTargetGroupResponse><CreateTargetGroupResult/></CreateTargetGroupResponse>", call.RequestAborted);
    }
}
