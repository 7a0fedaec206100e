namespace Mutation;

/// <summary>One change of the product.</summary>
/// <param name="Id">Selects it; counts over all files.</param>
/// <param name="Member">The number of the member that it changes.</param>
/// <param name="File">The file's name.</param>
/// <param name="Line">Where, for people.</param>
/// <param name="Kind">Of the change.</param>
/// <param name="Key">Names it across runs: file, member and texts, not the line.</param>
/// <param name="NeedsNewProcess">It changes what is initialized once.</param>
internal sealed record Mutant(int Id, int Member, string File, int Line, string Kind, string Key, bool NeedsNewProcess);
