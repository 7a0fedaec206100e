namespace RagAgent.Tests.Support;

/// <summary>How long a waiting test may take before it fails. Far longer than any test needs.</summary>
internal static class TestTimeouts
{
    public const int Milliseconds = 30_000;
}
