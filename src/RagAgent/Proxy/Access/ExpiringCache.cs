using System.Diagnostics.CodeAnalysis;
using RagAgent.Common;

namespace RagAgent.Proxy.Access;

/// <summary>Remembers a bounded number of things for a while; the oldest goes first. Not for several threads at once.</summary>
/// <param name="lifetime">For how long.</param>
/// <param name="capacity">How many.</param>
internal sealed class ExpiringCache<TKey, TValue>(TimeSpan lifetime, int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, (TValue Value, Moment End, LinkedListNode<TKey> Place)> _entries = [];
    private readonly LinkedList<TKey> _order = [];

    public int Count => _entries.Count;

    public bool TryGet(TKey key, Moment now, [MaybeNullWhen(false)] out TValue value)
    {
        var found = _entries.TryGetValue(key, out var entry) && entry.End > now;
        value = found ? entry.Value : default;
        return found;
    }

    /// <summary>Anew, for its whole life.</summary>
    public void Set(TKey key, TValue value, Moment now)
    {
        if (_entries.Remove(key, out var existing))
        {
            _order.Remove(existing.Place);
        }
        _entries[key] = (value, now + lifetime, _order.AddLast(key));
        while (_order.First is { } oldest && (_entries.Count > capacity || _entries[oldest.Value].End <= now))
        {
            _entries.Remove(oldest.Value);
            _order.RemoveFirst();
        }
    }
}
