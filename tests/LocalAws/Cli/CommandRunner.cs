namespace LocalAws.Cli;

/// <summary>Runs a command. Errors that the caller can fix print one line and exit with 1.</summary>
internal static class CommandRunner
{
    public static async Task<int> RunAsync(Func<Task> work)
    {
        try
        {
            await work();
            return 0;
        }
        catch (Exception failure) when (failure is LocalAwsException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"local-aws: {failure.Message}");
            return 1;
        }
    }
}
