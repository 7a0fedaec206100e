using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>The answer to who can't be brought to the app: a page for people, a line of JSON for programs, and always 503.</summary>
internal sealed class Unserved
{
    private readonly StateBoard _board;
    private readonly Policy _policy;
    private readonly BootTimeline _boot;
    private readonly AgentClock _clock;
    private readonly PageDetails _details;
    private readonly Page _page;

    public Unserved(AgentConfig config, StateBoard board, Policy policy, BootTimeline boot, AgentClock clock, ILogger logger)
    {
        (_board, _policy, _boot, _clock, _details) = (board, policy, boot, clock, config.Page.Details);
        _page = new Page(config.Page, config.Container.Name, Logo.Read(config.Page.Logo, logger), config.Url);
    }

    /// <summary>Who reads a page: a browser that goes somewhere. What its scripts ask for, and what is no browser, gets JSON.</summary>
    public static bool ReadsPages(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) &&
        request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) && accepted.Quality is not 0);

    public Notice NoticeOf(AgentState state) => Notice.Of(state, _policy, _boot, _clock.Now, _details);

    public async Task TellAsync(HttpContext visit)
    {
        var notice = NoticeOf(_board.State);
        var response = visit.Response;
        response.Clear();   // of what the app may have said before it went
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = $"{notice.ComeBackAfter}";
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = "Accept";
        response.Headers.XContentTypeOptions = "nosniff";
        byte[] body;
        if (ReadsPages(visit.Request))
        {
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.ContentSecurityPolicy = _page.Policy;
            response.Headers["Referrer-Policy"] = "no-referrer";
            body = Encoding.UTF8.GetBytes(_page.Render(notice));
        }
        else
        {
            response.ContentType = "application/json";
            body = [.. JsonSerializer.SerializeToUtf8Bytes(new ShortNotice(notice.Status, notice.Message), NoticeJson.Plain.ShortNotice), (byte)'\n'];
        }
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(visit.Request.Method))
        {
            await response.Body.WriteAsync(body, visit.RequestAborted);
        }
    }
}
