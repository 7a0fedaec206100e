using System.Net;
using System.Net.Sockets;
using RagAgent.Common;

namespace RagAgent.Proxy.Access;

/// <summary>
/// Slows down password guessing: per address, and in total, because one comparison costs a good part of a second of CPU time.
/// Not thread-safe.
/// </summary>
/// <remarks>An attempt is charged before it is made, so that concurrent attempts all count. A correct one is refunded.</remarks>
internal sealed class PasswordRateLimiter
{
    /// <summary>Wrong passwords that an address may try before it has to wait.</summary>
    public const int FreeAttempts = 5;

    /// <summary>How many addresses are remembered.</summary>
    public const int MaxAddresses = 4096;

    /// <summary>Attempts from all addresses together that may come at once. After that, one per second.</summary>
    public const int Burst = 30;

    private static readonly TimeSpan RefillInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(15);

    private readonly ExpiringCache<IPAddress, (int Failures, Moment NextAllowed)> _addresses = new(ForgetAfter, MaxAddresses);
    private Moment _refilledAt = Moment.Zero;   // when the whole burst is available again

    /// <summary>Charges an attempt.</summary>
    /// <returns>Null if it may be made now. Otherwise nothing was charged, and this is how long to wait.</returns>
    public TimeSpan? Acquire(IPAddress address, Moment now)
    {
        var network = NetworkOf(address);
        _addresses.TryGet(network, now, out var entry);
        if (entry.Failures >= FreeAttempts && entry.NextAllowed > now)
        {
            return entry.NextAllowed - now;
        }
        var refilledAt = (_refilledAt > now ? _refilledAt : now) + RefillInterval;
        if (refilledAt - now > RefillInterval * Burst)
        {
            return refilledAt - now - (RefillInterval * Burst);
        }
        _refilledAt = refilledAt;
        var failures = entry.Failures + 1;
        _addresses.Set(network, (failures, now + DelayAfter(failures)), now);
        return null;
    }

    /// <summary>Takes back the charge for an attempt that was correct.</summary>
    public void Refund(IPAddress address, Moment now)
    {
        var network = NetworkOf(address);
        _refilledAt -= RefillInterval;
        if (_addresses.TryGet(network, now, out var entry))
        {
            _addresses.Set(network, (entry.Failures - 1, now), now);
        }
    }

    private static TimeSpan DelayAfter(int failures) => failures < FreeAttempts
        ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(Math.Pow(2, failures - FreeAttempts), MaxDelay.TotalSeconds));

    /// <summary>An IPv6 client usually has a whole /64 network, so all of it counts as one address.</summary>
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
