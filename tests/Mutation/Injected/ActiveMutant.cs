namespace Mutation;

/// <summary>Selects the mutant that runs. Compiled into the copy of the product.</summary>
internal static class ActiveMutant
{
    /// <summary>0: the product as it is.</summary>
    public static int Id = int.TryParse(Environment.GetEnvironmentVariable("RAGAGENT_MUTANT"), out var id) ? id : 0;

    /// <summary>By member: it ran since this was last cleared.</summary>
    public static readonly bool[] Reached = new bool[100_000];

    /// <summary>Not constants: the compiler must not see through them.</summary>
    public static bool True => Id >= 0;

    public static bool False => Id < 0;
}
