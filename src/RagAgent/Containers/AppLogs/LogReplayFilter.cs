namespace RagAgent.Containers.AppLogs;

/// <summary>Tells messages that were handled before from new ones when a log is opened again.</summary>
internal sealed class LogReplayFilter(LogPosition position)
{
    private bool _started;
    private bool _sawNew;
    private long _remainingSince = position.HandledSince;
    private long _remainingBefore = position.HandledBefore;

    /// <summary>The engine deleted the last handled messages. Only timestamps tell what is new, and some messages may be lost.</summary>
    public bool HasGap { get; private set; }

    /// <returns>True if the message was handled before.</returns>
    public bool IsReplay(long timestamp)
    {
        if (!_started)
        {
            _started = true;
            HasGap = !position.IsEmpty && timestamp != position.FirstTimestamp;
        }
        if (HasGap)
        {
            _sawNew |= timestamp > position.NewestTimestamp;
            return !_sawNew;
        }
        ref var remaining = ref timestamp >= position.Since ? ref _remainingSince : ref _remainingBefore;
        return remaining > 0 && remaining-- > 0;
    }
}
