using CsCheck;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Storage;

/// <summary>Every persisted state that an agent may have.</summary>
internal static class StateGenerator
{
    private static readonly Gen<string> Text = Gen.String[Gen.OneOf(Gen.Char[' ', '~'], Gen.Char['\0', '\uD7FF']), 0, 30];
    private static readonly Gen<ImageName> Image = Gen.Select(Text, Text, (repository, digest) => new ImageName(repository, digest));
    private static readonly Gen<Problem> Problem =
        Gen.Select(Text, Text, Text, (code, what, remedy) => new Problem(ProblemCatalog.Find(code), what, remedy));
    private static readonly Gen<int> Count = Gen.Int[0, 5];

    private static readonly Gen<string?> OptionalInputs = Gen.OneOf(Gen.Const((string?)null), Text.Select(text => (string?)text));

    private static readonly Gen<Verdict> Verdict = Gen.OneOf(
        Gen.Select(Image, Count, Count, Verdict (image, strikes, round) => new Verdict.OnTrial(image, strikes, round)),
        Gen.Select(
            Image,
            Problem,
            Count,
            Count,
            Gen.Bool,
            OptionalInputs,
            Verdict (image, why, strikes, round, asked, under) => new Verdict.RolledBack(image, why, strikes, round, asked, under)),
        Gen.Select(
            Image, Problem, Count, OptionalInputs, Verdict (image, why, round, under) => new Verdict.Undecided(image, why, round, under)),
        Gen.Select(Image, Problem, Verdict (image, why) => new Verdict.Quarantined(image, why)));

    public static readonly Gen<PersistedState> Any = Gen.Select(
        Image.Array[0, 2],
        Gen.OneOf(Gen.Const((Verdict?)null), Verdict.Select(verdict => (Verdict?)verdict)),
        Gen.OneOf(Gen.Const((StopHold?)null), Gen.Const((StopHold?)StopHold.Operator), Gen.Const((StopHold?)StopHold.DockerStop)),
        Gen.Select(Text, Text, Gen.Bool, (id, at, asked) => new Run(id, at) { StopRequested = asked }).Array[0, 3],
        Gen.OneOf(Gen.Const((Moment?)null), Gen.Int[0, 1_000_000].Select(ms => (Moment?)(Moment.Zero - TimeSpan.FromMilliseconds(ms)))),
        (good, verdict, hold, runs, waitsSince) => new PersistedState([.. good], verdict, hold, [.. runs], waitsSince));

    /// <summary>A state with all its parts.</summary>
    public static readonly PersistedState Complete = new(
        [new ImageName("registry/app", "sha256:aa"), new ImageName("registry/app", "sha256:bb")],
        new Verdict.RolledBack(
            new ImageName("registry/app", "sha256:cc"),
            new Problem(ProblemCatalog.AppExited, "The app's container 'ragstream' exited with code 3.", "See its last lines."),
            1,
            2,
            ByOperator: true,
            Inputs: "config-1/v1"),
        StopHold.Operator,
        [new Run("0123456789abcdef", "2026-01-01T00:00:00Z")],
        Moment.Zero - TimeSpan.FromMinutes(5));

    public static readonly PersistedState WithoutVerdict = Complete with { Verdict = null, Hold = null, UpdateWaitsSince = null };
}
