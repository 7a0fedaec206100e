using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Cli;

/// <summary>What a tried image turned out to be. Pure.</summary>
internal abstract record TryVerdict
{
    /// <summary>A session of the app ran its script.</summary>
    public sealed record Works(TimeSpan Took) : TryVerdict;

    /// <summary>The app answers, and its session can't be read: it isn't Streamlit's, or is a version that nobody knows.</summary>
    public sealed record Answers(TimeSpan Took) : TryVerdict;

    /// <param name="Error">Like the last line of a traceback. Scrubbed and safe to show.</param>
    /// <param name="IsOfTheImage">A compile or import error, which no key and no data would change.</param>
    public sealed record Broken(string Error, bool IsOfTheImage) : TryVerdict;

    /// <param name="Exit">Null if the engine doesn't say how it ended.</param>
    public sealed record Died(ContainerExit? Exit) : TryVerdict;

    /// <param name="Error">Why the app is not healthy, in a few words.</param>
    public sealed record NotReady(string Error) : TryVerdict;

    /// <summary>The image is to blame, whatever it lacks here.</summary>
    public bool IsCertain => this is Died or Broken { IsOfTheImage: true };

    /// <summary>The app may work where its keys and its data are.</summary>
    public bool IsDoubtful => this is NotReady or Broken { IsOfTheImage: false };

    /// <summary>One sentence.</summary>
    public string Describe(string image) => this switch
    {
        Works works => $"{image} works: its page was complete after {Humanize.Duration(works.Took)}.",
        Answers answers => $"{image} answers after {Humanize.Duration(answers.Took)}. Its script was not run: it doesn't speak Streamlit's protocol.",
        Broken broken => $"{image} fails when its page is opened: {broken.Error}.",
        Died died => $"The app of {image} {died.Exit?.Describe() ?? "ended"}.",
        NotReady notReady => $"{image} does not become ready: {notReady.Error}.",
        _ => throw new InvalidOperationException($"Unknown verdict {this}."),
    };
}
