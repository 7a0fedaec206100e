using System.Globalization;
using System.Net;
using RagAgent.Common;
using RagAgent.Proxy.Access;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>How fast passwords can be guessed.</summary>
public sealed class PasswordRateLimiterTests
{
    private static readonly IPAddress ClientAddress = IPAddress.Parse("192.0.2.1");

    private readonly PasswordRateLimiter _limiter = new();
    private Moment _now = Moment.Zero + TimeSpan.FromHours(1);

    [Fact]
    public void Five_attempts_are_free_then_the_delay_doubles_up_to_a_minute()
    {
        Assert.All(Enumerable.Range(0, PasswordRateLimiter.FreeAttempts), _ => Assert.Null(_limiter.Acquire(ClientAddress, _now)));

        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            var wait = _limiter.Acquire(ClientAddress, _now)!.Value;
            waits.Add(wait.TotalSeconds);
            _now += wait;
            Assert.Null(_limiter.Acquire(ClientAddress, _now));
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], waits);
    }

    [Fact]
    public void An_address_gets_little_more_than_one_attempt_a_minute_in_a_day()
    {
        var (attempts, end) = (0, _now + TimeSpan.FromDays(1));
        while (_now < end)
        {
            if (_limiter.Acquire(ClientAddress, _now) is { } wait)
            {
                _now += wait;
            }
            else
            {
                attempts++;
            }
        }

        Assert.InRange(attempts, 1440, 1460);
    }

    [Fact]
    public void An_address_is_forgotten_after_15_minutes()
    {
        Assert.All(Enumerable.Range(0, PasswordRateLimiter.FreeAttempts), _ => Assert.Null(_limiter.Acquire(ClientAddress, _now)));
        Assert.NotNull(_limiter.Acquire(ClientAddress, _now));
        _now += TimeSpan.FromMinutes(15);
        Assert.All(Enumerable.Range(0, PasswordRateLimiter.FreeAttempts), _ => Assert.Null(_limiter.Acquire(ClientAddress, _now)));
    }

    [Fact]
    public void A_correct_attempt_is_refunded()
    {
        Assert.All(Enumerable.Range(0, 100), _ =>
        {
            Assert.Null(_limiter.Acquire(ClientAddress, _now));
            _limiter.Refund(ClientAddress, _now);
        });
    }

    [Theory]
    [InlineData("192.0.2.2", true)]
    [InlineData("2001:db8:0:1::1", true)]
    public void Other_addresses_are_limited_separately(string address, bool free)
    {
        Exhaust(ClientAddress);
        Assert.Equal(free, _limiter.Acquire(IPAddress.Parse(address), _now) is null);
    }

    [Theory]
    [InlineData("2001:db8:0:1:ffff::2", false)]
    [InlineData("2001:db8:0:2::1", true)]
    public void The_addresses_of_one_IPv6_64_network_share_a_limit(string address, bool free)
    {
        Exhaust(IPAddress.Parse("2001:db8:0:1::1"));
        Assert.Equal(free, _limiter.Acquire(IPAddress.Parse(address), _now) is null);
    }

    [Fact]
    public void All_addresses_together_get_a_burst_and_then_one_attempt_a_second()
    {
        var attempts = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var address = IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.0.{i / 250}.{i % 250}"));
            attempts += _limiter.Acquire(address, _now) is null ? 1 : 0;
            _now += TimeSpan.FromMilliseconds(10);
        }

        Assert.InRange(attempts, PasswordRateLimiter.Burst + 99, PasswordRateLimiter.Burst + 101);
    }

    [Fact]
    public void The_cache_drops_its_oldest_entry_at_capacity_and_expired_ones()
    {
        var cache = new ExpiringCache<int, string>(TimeSpan.FromMinutes(1), 3);
        foreach (var i in new[] { 1, 2, 3, 1, 4 })
        {
            cache.Set(i, $"{i}", _now);
        }

        Assert.Equal([true, false, true, true], new[] { 1, 2, 3, 4 }.Select(i => cache.TryGet(i, _now, out _)));
        Assert.False(cache.TryGet(1, _now + TimeSpan.FromMinutes(1), out _));
        cache.Set(5, "5", _now + TimeSpan.FromMinutes(1));
        Assert.Equal(1, cache.Count);
    }

    private void Exhaust(IPAddress address)
    {
        while (_limiter.Acquire(address, _now) is null)
        {
        }
    }
}
