using System.Net;
using System.Net.Sockets;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Slows those down who try passwords: each address for itself, and all together, for a try costs a good part of a second of processor time. Not for several threads at once.</summary>
/// <remarks>A try is charged before it is made, so that a hundred at once are a hundred; one that was right is given back.</remarks>
internal sealed class Guesses
{
    /// <summary>Wrong ones of an address that cost nothing but themselves.</summary>
    public const int Free = 5;

    /// <summary>Addresses that are remembered.</summary>
    public const int MostAddresses = 4096;

    /// <summary>Tries of all addresses together that may come at once; then one a second.</summary>
    public const int Burst = 30;

    private static readonly TimeSpan OneMore = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(15);

    private readonly Recent<IPAddress, (int Wrong, Moment Next)> _addresses = new(Forgotten, MostAddresses);
    private Moment _full = Moment.Zero;   // when all of the burst will be there again

    /// <summary>Charges a try.</summary>
    /// <returns>Null: it may be made; else it was not charged, and this is the time after which it may be.</returns>
    public TimeSpan? Charge(IPAddress address, Moment now)
    {
        var place = Place(address);
        _addresses.TryGet(place, now, out var known);
        if (known.Wrong >= Free && known.Next > now)
        {
            return known.Next - now;
        }
        var full = (_full > now ? _full : now) + OneMore;
        if (full - now > OneMore * Burst)
        {
            return full - now - (OneMore * Burst);
        }
        _full = full;
        var wrong = known.Wrong + 1;
        var delay = wrong < Free ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Math.Pow(2, wrong - Free), Longest.TotalSeconds));
        _addresses.Put(place, (wrong, now + delay), now);
        return null;
    }

    /// <summary>The try was right, or was not made.</summary>
    public void GiveBack(IPAddress address, Moment now)
    {
        var place = Place(address);
        _full -= OneMore;
        if (_addresses.TryGet(place, now, out var known))
        {
            _addresses.Put(place, (known.Wrong - 1, now), now);
        }
    }

    /// <summary>Who has one IPv6 address has a whole network of them.</summary>
    private static IPAddress Place(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
