namespace RagAgent.Supervision.State;

/// <summary>How a run ended.</summary>
/// <param name="Code">The exit code; above 128 a signal, by the shells' convention.</param>
/// <param name="OutOfMemory">The kernel killed it for its memory.</param>
/// <param name="Error">Why the engine could not run it, in the engine's words; empty otherwise.</param>
/// <param name="LastLines">The end of its output, scrubbed; may be empty.</param>
internal sealed record ContainerExit(int Code, bool OutOfMemory, string Error, IReadOnlyList<string> LastLines)
{
    public bool Equals(ContainerExit? other) =>
        other is not null && Code == other.Code && OutOfMemory == other.OutOfMemory && Error == other.Error &&
        LastLines.SequenceEqual(other.LastLines);

    public override int GetHashCode() => HashCode.Combine(Code, OutOfMemory, Error, LastLines.Count);

    public string Describe() => this switch
    {
        { OutOfMemory: true } => "was killed because it ran out of memory",
        { Code: 97 } => "did not receive its secrets",
        { Error.Length: > 0 } => $"could not run: {Error}",
        { Code: > 128 and < 193 } => $"was ended by signal {Code - 128}",
        _ => $"exited with code {Code}",
    };
}
