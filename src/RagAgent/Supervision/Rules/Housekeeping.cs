using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What nothing waits for: notes for the next life, the image to go back to, and old images that take up space.</summary>
internal static class Housekeeping
{
    private static readonly TimeSpan RefetchInterval = TimeSpan.FromMinutes(5);

    public static AgentState Plan(AgentState state, ImmutableArray<Effect>.Builder effects)
    {
        if (MustPersist(state) && IsDue(state.Saved, state.Now))
        {
            state = state with { Saved = state.Saved.Begin(state.Now) };
            effects.Add(new Effect.SaveState(state.ToPersist()));
        }
        if (WantedFallback(state) is { } wanted && IsDue(state.Fallback, state.Now) && !IsJustFetched(state, wanted))
        {
            state = state with { Fallback = state.Fallback.Begin(state.Now) };
            effects.Add(new Effect.FetchFallback(wanted, Replace: state.IsCorrupt(wanted)));
        }
        if (state.Cleanup.IsDue(state.Now) && state.EngineIsReachable && !state.Image.IsRunning && !state.Fallback.IsRunning && !IsStarting(state))
        {
            var keep = ImagesToKeep(state);
            state = ForgetRemoved(state, keep) with { Cleanup = state.Cleanup.Begin(state.Now) };
            effects.Add(new Effect.CleanUpImages(keep));
        }
        return state;
    }

    /// <summary>What is known differs from what is written. Before the first look at the engine, a life without memory has nothing to write.</summary>
    public static bool MustPersist(AgentState state) => !state.HasNoHistory && !(state.Saved.Value ?? PersistedState.Empty).Equals(state.ToPersist());

    /// <summary>A good image that has to be fetched again, and can be: because it is to be run, or because it should be there to go back to.</summary>
    public static ImageName? WantedFallback(AgentState state)
    {
        if (!state.EngineIsReachable || state.Cleanup.IsRunning)
        {
            return null;
        }
        if (state.KnownGood.FirstOrDefault(good => state.IsDefective(good) && good != state.Tag.Value?.Image) is { } broken)
        {
            return broken;
        }
        // The registry must answer, and what visitors wait for comes first.
        var isTheTime = !state.Image.IsRunning && state.Tag is { Failures: 0, Value: not null } && state.Front is ContainerState.Serving;
        var spare = state.KnownGood.FirstOrDefault(good => good != state.Front.Current?.Image);
        return isTheTime && spare is not null && state.Engine.Value?.Images is { } disk && !disk.Contains(spare.ToString()) ? spare : null;
    }

    private static ImmutableArray<ImageName> ImagesToKeep(AgentState state)
    {
        ImageName?[] others = [state.Tag.Value?.Image, state.LastImage, state.Front.Current?.Image, state.Candidate?.Current?.Image, (state.Verdict as Verdict.OnTrial)?.Image];
        // What is set aside is of no use; what a container uses, the engine keeps anyway.
        return [.. state.KnownGood.Concat(others.OfType<ImageName>().Where(image => !DesiredRelease.IsSetAside(state, image))).Distinct()];
    }

    /// <summary>What goes is not counted on any more: should it be wanted after all, it is looked for on disk first.</summary>
    private static AgentState ForgetRemoved(AgentState state, ImmutableArray<ImageName> keep) => state with
    {
        Image = state.Image.Value is { } known && keep.All(image => image.Digest != known.Digest) ? state.Image with { Value = null, ReadAt = null } : state.Image,
        LastImage = state.LastImage is { } last && keep.Contains(last) ? last : null,
    };

    /// <summary>An engine that has it and does not list it would be asked for it without end.</summary>
    private static bool IsJustFetched(AgentState state, ImageName image) => state.Fallback is { State: FetchState.Idle, ReadAt: { } at } && state.Fallback.Value == image && state.Now < at + RefetchInterval;

    private static bool IsStarting(AgentState state) => state.Front is ContainerState.Starting || state.Candidate is ContainerState.Starting;

    private static bool IsDue<T>(Fetched<T> work, Moment now) where T : class => work.State is FetchState.Idle || work.IsDue(now);
}
