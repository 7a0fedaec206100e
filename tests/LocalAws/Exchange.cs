using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws;

/// <summary>What happens around every answer: it is recorded, and the faults that are set for it come first.</summary>
public sealed class Exchange(RequestLog requests, FaultTable faults, TimeProvider clock, CancellationToken stopping)
{
    /// <summary>Records the request, then lets it meet its faults.</summary>
    /// <param name="acceptable">Which kinds of fault may act here.</param>
    /// <returns>The fault that is the answer, for the caller to say in its service's words; null when the real answer is due.</returns>
    /// <exception cref="OperationCanceledException">A fault ended the connection, or the client left.</exception>
    internal async Task<Fault?> BeginAsync(
        HttpContext context, string operation, string service, string resource, string? principal, Func<Fault, bool>? acceptable = null,
        string? faultsOf = null)
    {
        var number = requests.Begin(operation, service, resource, principal, context.Request);
        context.Response.OnStarting(() =>
        {
            requests.Answered(number, context.Response.StatusCode);
            return Task.CompletedTask;
        });
        context.Response.OnCompleted(() =>
        {
            requests.Answered(number, 0);
            return Task.CompletedTask;
        });
        try
        {
            return await MeetAsync(context, faults.Take(faultsOf ?? operation, context.Request.Method, principal, acceptable ?? (_ => true)));
        }
        catch (OperationCanceledException)
        {
            requests.Answered(number, 0);
            throw;
        }
    }

    private async Task<Fault?> MeetAsync(HttpContext context, IReadOnlyList<MetFault> met)
    {
        long? cutAfter = null;
        long? bytesPerSecond = null;
        Fault? answer = null;
        foreach (var (fault, cleared) in met)
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
                    answer = fault;
                    break;
            }
        }
        if (cutAfter is not null || bytesPerSecond is not null)
            context.Response.Body = new FaultedBody(context.Response.Body, context, cutAfter, bytesPerSecond, clock);
        return answer;
    }

    private async Task HangAsync(HttpContext context, CancellationToken cleared)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, cleared, stopping);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, end.Token);
        }
        finally
        {
            context.Abort();
        }
    }
}
