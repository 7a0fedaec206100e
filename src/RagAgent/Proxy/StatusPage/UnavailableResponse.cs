using System.Text;
using System.Text.Json;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.StatusPage;

/// <summary>The answer (503) while the app can't be reached: the status page for people, one line of JSON for programs.</summary>
internal sealed class UnavailableResponse
{
    private readonly StateFeed _feed;
    private readonly Policy _policy;
    private readonly BootTimeline _boot;
    private readonly AgentClock _clock;
    private readonly PageDetails _details;
    private readonly StatusPageRenderer _renderer;

    public UnavailableResponse(AgentConfig config, StateFeed feed, Policy policy, BootTimeline boot, AgentClock clock, ILogger logger)
    {
        (_feed, _policy, _boot, _clock, _details) = (feed, policy, boot, clock, config.Page.Details);
        _renderer = new StatusPageRenderer(config.Page, config.Container.Name, Logo.Read(config.Page.Logo, logger), config.Url);
    }

    /// <summary>Whether a person navigates to the page. Scripts and other programs get JSON.</summary>
    public static bool AcceptsHtml(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) &&
        request.GetTypedHeaders().Accept.Any(accepted =>
            accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) && accepted.Quality is not 0);

    public StatusPageModel ModelOf(AgentState state) => StatusPageModel.Of(state, _policy, _boot, _clock.Now, _details);

    public async Task SendAsync(HttpContext context)
    {
        var model = ModelOf(_feed.State);
        var response = context.Response;
        response.Clear();   // removes headers that the app may have sent before it failed
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = $"{model.RetryAfterSeconds}";
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = "Accept";
        response.Headers.XContentTypeOptions = "nosniff";
        byte[] body;
        if (AcceptsHtml(context.Request))
        {
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.ContentSecurityPolicy = _renderer.ContentSecurityPolicy;
            response.Headers["Referrer-Policy"] = "no-referrer";
            body = Encoding.UTF8.GetBytes(_renderer.Render(model));
        }
        else
        {
            response.ContentType = "application/json";
            var summary = new StatusPageSummary(model.Status, model.Message);
            body = [.. JsonSerializer.SerializeToUtf8Bytes(summary, StatusPageJson.Plain.StatusPageSummary), (byte)'\n'];
        }
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
