namespace RagAgent.Export;

/// <param name="Text">In angle brackets, which no platform accepts in a name, so that it can't be used by mistake.</param>
/// <param name="Meaning">What belongs there.</param>
/// <param name="Option">The command line option that fills it in; null: only by hand.</param>
internal sealed record Placeholder(string Text, string Meaning, string? Option = null);
