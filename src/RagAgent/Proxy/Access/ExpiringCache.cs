using System.Diagnostics.CodeAnalysis;
using RagAgent.Common;

namespace RagAgent.Proxy.Access;

/// <summary>A cache of limited size whose entries expire. When it is full, the oldest entry goes first. Not thread-safe.</summary>
/// <param name="lifetime">How long an entry stays.</param>
/// <param name="capacity">The maximum number of entries.</param>
internal sealed class ExpiringCache<TKey, TValue>(TimeSpan lifetime, int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, (TValue Value, Moment ExpiresAt, LinkedListNode<TKey> Node)> _entries = [];
    private readonly LinkedList<TKey> _order = [];

    public int Count => _entries.Count;

    public bool TryGet(TKey key, Moment now, [MaybeNullWhen(false)] out TValue value)
    {
        var found = _entries.TryGetValue(key, out var entry) && entry.ExpiresAt > now;
        value = found ? entry.Value : default;
        return found;
    }

    /// <summary>Inserts or replaces an entry; its lifetime starts now.</summary>
    public void Set(TKey key, TValue value, Moment now)
    {
        if (_entries.Remove(key, out var existing))
        {
            _order.Remove(existing.Node);
        }
        _entries[key] = (value, now + lifetime, _order.AddLast(key));
        while (_order.First is { } oldest && (_entries.Count > capacity || _entries[oldest.Value].ExpiresAt <= now))
        {
            _entries.Remove(oldest.Value);
            _order.RemoveFirst();
        }
    }
}
