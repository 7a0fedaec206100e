using System.Diagnostics;

namespace RagAgent.Benchmarks;

/// <summary>Measures how long after its start a program answers its first request.</summary>
internal static class StartupTimer
{
    /// <summary>Prints the milliseconds and the status, then kills the program.</summary>
    public static async Task<int> RunAsync(Uri url, string[] command)
    {
        using var http = new HttpClient();
        var startedAt = Stopwatch.GetTimestamp();
        using var program = Process.Start(command[0], command[1..]);
        while (Stopwatch.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(30))
        {
            try
            {
                using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
                Console.WriteLine(FormattableString.Invariant($"{Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds:0} {(int)response.StatusCode}"));
                program.Kill();
                await program.WaitForExitAsync();
                return 0;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);   // the program does not listen yet
            }
        }
        program.Kill();
        return 1;
    }
}
