namespace RagAgent.Proxy.Tls;

/// <summary>Tells browsers to use HTTPS from now on. Sent over HTTPS only: browsers ignore it over HTTP.</summary>
/// <param name="maxAge">How long browsers remember it.</param>
internal sealed class HstsHeader(TimeSpan maxAge)
{
    private readonly string _value = $"max-age={(long)maxAge.TotalSeconds}";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps)
        {
            // When the response starts, so that it replaces a header from the app.
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.StrictTransportSecurity = _value;
                return Task.CompletedTask;
            });
        }
        return next(context);
    }
}
