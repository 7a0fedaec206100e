using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Work that nothing waits for: the state file, the image to go back to, and old images that take up space.</summary>
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
        if (WantedFallback(state) is { } wanted && IsDue(state.Images.Fallback, state.Now) && !IsJustFetched(state, wanted))
        {
            state = state with { Images = state.Images with { Fallback = state.Images.Fallback.Begin(state.Now) } };
            effects.Add(new Effect.FetchFallback(wanted, Replace: state.IsCorrupt(wanted)));
        }
        if (state.Images.Cleanup.IsDue(state.Now) && CanCleanUp(state))
        {
            var keep = ImagesToKeep(state);
            state = ForgetRemoved(state, keep);
            state = state with { Images = state.Images with { Cleanup = state.Images.Cleanup.Begin(state.Now) } };
            effects.Add(new Effect.CleanUpImages(keep));
        }
        return state;
    }

    /// <summary>
    /// The state differs from the state file. Without history nothing is written before the first inspection: the containers' labels may
    /// know more.
    /// </summary>
    public static bool MustPersist(AgentState state) =>
        !state.HasNoHistory && !(state.Saved.Value ?? PersistedState.Empty).Equals(state.ToPersist());

    /// <summary>
    /// A good image to fetch again now, because it is to be run or because it should be on disk to go back to; null: none.
    /// </summary>
    public static ImageName? WantedFallback(AgentState state)
    {
        if (!state.EngineIsReachable || state.Images.Cleanup.IsRunning)
        {
            return null;
        }
        if (state.Images.KnownGood.FirstOrDefault(good => state.IsDefective(good) && good != state.Tag.Value?.Image) is { } defective)
        {
            return defective;
        }
        // A spare can wait until the registry answers and nothing that clients wait for is being fetched.
        var isGoodMoment = !state.Image.IsRunning && state.Tag is { Failures: 0, Value: not null } && state.Front is ContainerState.Serving;
        var spare = state.Images.KnownGood.FirstOrDefault(good => good != state.Front.Current?.Image);
        var isMissing = spare is not null && state.Engine.Value?.Images is { } onDisk && !onDisk.Contains(spare.ToString());
        return isGoodMoment && isMissing ? spare : null;
    }

    private static bool CanCleanUp(AgentState state) =>
        state.EngineIsReachable && !state.Image.IsRunning && !state.Images.Fallback.IsRunning &&
        state.Front is not ContainerState.Starting && state.Candidate is not ContainerState.Starting;

    private static ImmutableArray<ImageName> ImagesToKeep(AgentState state)
    {
        ImageName?[] others =
        [
            state.Tag.Value?.Image,
            state.Images.LastRun,
            state.Front.Current?.Image,
            state.Candidate?.Current?.Image,
            (state.Images.Verdict as Verdict.OnTrial)?.Image,
        ];
        // An image that is set aside is not needed. The engine keeps what a container uses anyway.
        var needed = others.OfType<ImageName>().Where(image => !DesiredRelease.IsSetAside(state, image));
        return [.. state.Images.KnownGood.Concat(needed).Distinct()];
    }

    /// <summary>
    /// Images about to be removed are not counted on any more. If one is wanted after all, it is looked for on disk first.
    /// </summary>
    private static AgentState ForgetRemoved(AgentState state, ImmutableArray<ImageName> keep)
    {
        var losesNewest = state.Image.Value is { } newest && keep.All(image => image.Digest != newest.Digest);
        var losesLastRun = state.Images.LastRun is { } lastRun && !keep.Contains(lastRun);
        return state with
        {
            Image = losesNewest ? state.Image with { Value = null, ReadAt = null } : state.Image,
            Images = state.Images with { LastRun = losesLastRun ? null : state.Images.LastRun },
        };
    }

    /// <summary>An engine that has the image but does not list it would otherwise be asked to fetch it again and again.</summary>
    private static bool IsJustFetched(AgentState state, ImageName image) =>
        state.Images.Fallback is { State: FetchState.Idle, ReadAt: { } fetchedAt } &&
        state.Images.Fallback.Value == image && state.Now < fetchedAt + RefetchInterval;

    private static bool IsDue<T>(Fetched<T> work, Moment now) where T : class => work.State is FetchState.Idle || work.IsDue(now);
}
