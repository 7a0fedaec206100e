namespace RagAgent.Tests.Support;

/// <summary>Sets environment variables and restores the previous values when disposed.</summary>
internal sealed class EnvironmentVariables : IDisposable
{
    private readonly List<(string Name, string? Before)> _previous = [];

    public EnvironmentVariables(params (string Name, string? Value)[] variables)
    {
        foreach (var (name, value) in variables)
        {
            Set(name, value);
        }
    }

    public void Set(string name, string? value)
    {
        _previous.Add((name, Environment.GetEnvironmentVariable(name)));
        Environment.SetEnvironmentVariable(name, value);
    }

    public void Dispose()
    {
        foreach (var (name, previous) in Enumerable.Reverse(_previous))
        {
            Environment.SetEnvironmentVariable(name, previous);
        }
    }
}
