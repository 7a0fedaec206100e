using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws;

/// <summary>Records every request and applies the faults that are set for it before it is answered.</summary>
public sealed class RequestInterceptor(RequestLog requests, FaultTable faults, TimeProvider clock, CancellationToken stopping)
{
    /// <summary>Records the request, then applies its faults.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">As <see cref="Operations"/> or IAM names it.</param>
    /// <param name="service">The service's short name.</param>
    /// <param name="resource">The requested resource, for the record.</param>
    /// <param name="principal">The caller's ARN; null if unknown.</param>
    /// <param name="filter">Which faults may apply here.</param>
    /// <param name="faultOperation">The operation whose faults apply; null for <paramref name="operation"/>.</param>
    /// <returns>The fault to answer with, for the caller to format; null for the real response.</returns>
    /// <exception cref="OperationCanceledException">A fault ended the connection, or the client left.</exception>
    internal async Task<Fault?> InterceptAsync(
        HttpContext context, string operation, string service, string resource, string? principal, Func<Fault, bool>? filter = null,
        string? faultOperation = null)
    {
        var number = requests.Record(operation, service, resource, principal, context.Request);
        context.Response.OnStarting(() =>
        {
            requests.Complete(number, context.Response.StatusCode);
            return Task.CompletedTask;
        });
        context.Response.OnCompleted(() =>
        {
            requests.Complete(number, 0);
            return Task.CompletedTask;
        });
        try
        {
            var matched = faults.TakeMatching(faultOperation ?? operation, context.Request.Method, principal, filter ?? (_ => true));
            return await ApplyFaultsAsync(context, matched);
        }
        catch (OperationCanceledException)
        {
            requests.Complete(number, 0);
            throw;
        }
    }

    private async Task<Fault?> ApplyFaultsAsync(HttpContext context, IReadOnlyList<MatchedFault> matched)
    {
        long? cutAfter = null;
        long? bytesPerSecond = null;
        Fault? errorFault = null;
        foreach (var (fault, cleared) in matched)
        {
            switch (fault)
            {
                case Fault.Delay delay:
                    await Task.Delay(TimeSpan.FromSeconds(delay.Seconds), clock, context.RequestAborted);
                    break;
                case Fault.Throttle throttle:
                    bytesPerSecond = throttle.BytesPerSecond;
                    break;
                case Fault.Hang:
                    await HangAsync(context, cleared);
                    break;
                case Fault.Cut { AfterBytes: <= 0 }:
                    context.Abort();
                    throw new OperationCanceledException("A fault cut the connection before a response.");
                case Fault.Cut cut:
                    cutAfter = cut.AfterBytes;
                    break;
                default:
                    errorFault = fault;
                    break;
            }
        }
        if (cutAfter is not null || bytesPerSecond is not null)
        {
            context.Response.Body = new FaultyResponseStream(context.Response.Body, context, cutAfter, bytesPerSecond, clock);
        }

        return errorFault;
    }

    private async Task HangAsync(HttpContext context, CancellationToken cleared)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, cleared, stopping);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, linked.Token);
        }
        finally
        {
            context.Abort();
        }
    }
}
