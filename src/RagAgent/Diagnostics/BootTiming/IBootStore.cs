namespace RagAgent.Diagnostics.BootTiming;

/// <summary>Stores the boots that the agent remembers.</summary>
internal interface IBootStore
{
    /// <summary>The newest boot first. Empty if there are none, or they can't be read.</summary>
    IReadOnlyList<BootRecord> Read();

    /// <summary>Replaces all stored boots.</summary>
    void Write(IReadOnlyList<BootRecord> boots);
}
