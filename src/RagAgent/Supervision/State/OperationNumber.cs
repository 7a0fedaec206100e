namespace RagAgent.Supervision.State;

/// <summary>Operations are numbered, so that a late report of an earlier one is not mistaken for the current one.</summary>
internal static class OperationNumber
{
    /// <summary>The number of an operation that was decided on and has not begun.</summary>
    public const long NotDispatched = 0;
}
