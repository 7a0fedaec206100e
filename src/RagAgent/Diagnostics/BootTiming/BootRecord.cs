namespace RagAgent.Diagnostics.BootTiming;

/// <summary>One boot of the machine, and when it reached which milestone.</summary>
/// <param name="Id">The kernel's boot ID.</param>
/// <param name="StartedAt">The wall clock when the kernel started.</param>
/// <param name="Steps">
/// Time since the kernel started, per milestone.
/// Measured by the first agent process that reached <see cref="BootMilestone.Healthy"/>, or by the last one if none did.
/// </param>
internal sealed record BootRecord(string Id, DateTimeOffset StartedAt, IReadOnlyDictionary<BootMilestone, TimeSpan> Steps)
{
    public bool IsComplete => Steps.ContainsKey(BootMilestone.Healthy);
}
