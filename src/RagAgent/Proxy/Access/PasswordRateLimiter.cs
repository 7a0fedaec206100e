using System.Net;
using System.Net.Sockets;
using RagAgent.Common;

namespace RagAgent.Proxy.Access;

/// <summary>Slows those down who try passwords: each address for itself, and all together, for a try costs a good part of a second of processor time. Not for several threads at once.</summary>
/// <remarks>A try is charged before it is made, so that a hundred at once are a hundred; one that was right is given back.</remarks>
internal sealed class PasswordRateLimiter
{
    /// <summary>Wrong ones of an address that cost nothing but themselves.</summary>
    public const int FreeAttempts = 5;

    /// <summary>Addresses that are remembered.</summary>
    public const int MaxAddresses = 4096;

    /// <summary>Tries of all addresses together that may come at once; then one a second.</summary>
    public const int Burst = 30;

    private static readonly TimeSpan RefillInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(15);

    private readonly ExpiringCache<IPAddress, (int Wrong, Moment Next)> _addresses = new(ForgetAfter, MaxAddresses);
    private Moment _refilledAt = Moment.Zero;   // when all of the burst will be there again

    /// <summary>Charges a try.</summary>
    /// <returns>Null: it may be made; else it was not charged, and this is the time after which it may be.</returns>
    public TimeSpan? Acquire(IPAddress address, Moment now)
    {
        var network = NetworkOf(address);
        _addresses.TryGet(network, now, out var entry);
        if (entry.Wrong >= FreeAttempts && entry.Next > now)
        {
            return entry.Next - now;
        }
        var refilledAt = (_refilledAt > now ? _refilledAt : now) + RefillInterval;
        if (refilledAt - now > RefillInterval * Burst)
        {
            return refilledAt - now - (RefillInterval * Burst);
        }
        _refilledAt = refilledAt;
        var failures = entry.Wrong + 1;
        var delay = failures < FreeAttempts ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Math.Pow(2, failures - FreeAttempts), MaxDelay.TotalSeconds));
        _addresses.Set(network, (failures, now + delay), now);
        return null;
    }

    /// <summary>The try was right, or was not made.</summary>
    public void Refund(IPAddress address, Moment now)
    {
        var network = NetworkOf(address);
        _refilledAt -= RefillInterval;
        if (_addresses.TryGet(network, now, out var entry))
        {
            _addresses.Set(network, (entry.Wrong - 1, now), now);
        }
    }

    /// <summary>Who has one IPv6 address has a whole network of them.</summary>
    private static IPAddress NetworkOf(IPAddress address)
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
