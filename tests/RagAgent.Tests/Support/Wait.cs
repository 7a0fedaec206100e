namespace RagAgent.Tests.Support;

internal static class Wait
{
    public static async Task UntilAsync(Func<bool> condition, CancellationToken stopping)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stopping);
        }
    }
}
