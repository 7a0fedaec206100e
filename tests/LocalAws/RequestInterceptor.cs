using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws;

/// <summary>What happens around every answer: it is recorded, and the faults that are set for it come first.</summary>
public sealed class RequestInterceptor(RequestLog requests, FaultTable faults, TimeProvider clock, CancellationToken stopping)
{
    /// <summary>Records the request, then lets it meet its faults.</summary>
    /// <param name="context"></param>
    /// <param name="operation"></param>
    /// <param name="service"></param>
    /// <param name="resource"></param>
    /// <param name="principal"></param>
    /// <param name="filter">Which kinds of fault may act here.</param>
    /// <param name="faultOperation"></param>
    /// <returns>The fault that is the answer, for the caller to say in its service's words; null when the real answer is due.</returns>
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
            return await ApplyFaultsAsync(context, faults.TakeMatching(faultOperation ?? operation, context.Request.Method, principal, filter ?? (_ => true)));
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
                    throw new OperationCanceledException("The connection was cut before an answer, as the fault says.");
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
