using System.Diagnostics.CodeAnalysis;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Remembers a bounded number of things for a while; the oldest goes first. Not for several threads at once.</summary>
/// <param name="life">For how long.</param>
/// <param name="most">How many.</param>
internal sealed class Recent<TKey, TValue>(TimeSpan life, int most)
    where TKey : notnull
{
    private readonly Dictionary<TKey, (TValue Value, Moment End, LinkedListNode<TKey> Place)> _known = [];
    private readonly LinkedList<TKey> _order = [];

    public int Count => _known.Count;

    public bool TryGet(TKey key, Moment now, [MaybeNullWhen(false)] out TValue value)
    {
        var found = _known.TryGetValue(key, out var entry) && entry.End > now;
        value = found ? entry.Value : default;
        return found;
    }

    /// <summary>Anew, for its whole life.</summary>
    public void Put(TKey key, TValue value, Moment now)
    {
        if (_known.Remove(key, out var before))
        {
            _order.Remove(before.Place);
        }
        _known[key] = (value, now + life, _order.AddLast(key));
        while (_order.First is { } oldest && (_known.Count > most || _known[oldest.Value].End <= now))
        {
            _known.Remove(oldest.Value);
            _order.RemoveFirst();
        }
    }
}
