using System.Diagnostics;

namespace RagAgent.Benchmarks;

/// <summary>How long after its start a program answers a visitor.</summary>
internal static class FirstByte
{
    /// <summary>Prints milliseconds and the status; the program is ended after.</summary>
    public static async Task<int> RunAsync(Uri url, string[] command)
    {
        using var http = new HttpClient();
        var began = Stopwatch.GetTimestamp();
        using var program = Process.Start(command[0], command[1..]);
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
        {
            try
            {
                using var answer = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
                Console.WriteLine(FormattableString.Invariant($"{Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} {(int)answer.StatusCode}"));
                program.Kill();
                await program.WaitForExitAsync();
                return 0;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);   // it does not listen yet
            }
        }
        program.Kill();
        return 1;
    }
}
