namespace RagAgent.Tests.Support;

/// <summary>How long a test that waits for something may wait before it fails. Far longer than any takes.</summary>
internal static class TestTimeouts
{
    public const int Milliseconds = 30_000;
}
