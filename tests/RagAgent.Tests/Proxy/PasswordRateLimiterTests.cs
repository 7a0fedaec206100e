using System.Globalization;
using System.Net;
using RagAgent.Common;
using RagAgent.Proxy.Access;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>How fast passwords can be tried.</summary>
public sealed class PasswordRateLimiterTests
{
    private static readonly IPAddress ClientAddress = IPAddress.Parse("192.0.2.1");

    private readonly PasswordRateLimiter _limiter = new();
    private Moment _now = Moment.Zero + TimeSpan.FromHours(1);

    [Fact]
    public void Five_wrong_ones_are_free_then_each_waits_twice_as_long_as_the_one_before_up_to_a_minute()
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
    public void In_a_day_an_address_has_little_more_than_a_try_a_minute()
    {
        var (made, end) = (0, _now + TimeSpan.FromDays(1));
        while (_now < end)
        {
            if (_limiter.Acquire(ClientAddress, _now) is { } wait)
            {
                _now += wait;
            }
            else
            {
                made++;
            }
        }

        Assert.InRange(made, 1440, 1460);
    }

    [Fact]
    public void Who_waits_a_quarter_of_an_hour_begins_anew()
    {
        Assert.All(Enumerable.Range(0, PasswordRateLimiter.FreeAttempts), _ => Assert.Null(_limiter.Acquire(ClientAddress, _now)));
        Assert.NotNull(_limiter.Acquire(ClientAddress, _now));
        _now += TimeSpan.FromMinutes(15);
        Assert.All(Enumerable.Range(0, PasswordRateLimiter.FreeAttempts), _ => Assert.Null(_limiter.Acquire(ClientAddress, _now)));
    }

    [Fact]
    public void One_that_was_right_is_given_back()
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
    public void Another_address_is_another_one(string address, bool free)
    {
        Exhaust(ClientAddress);
        Assert.Equal(free, _limiter.Acquire(IPAddress.Parse(address), _now) is null);
    }

    [Theory]
    [InlineData("2001:db8:0:1:ffff::2", false)]
    [InlineData("2001:db8:0:2::1", true)]
    public void The_addresses_of_one_IPv6_network_are_one(string address, bool free)
    {
        Exhaust(IPAddress.Parse("2001:db8:0:1::1"));
        Assert.Equal(free, _limiter.Acquire(IPAddress.Parse(address), _now) is null);
    }

    [Fact]
    public void All_together_have_a_burst_and_then_one_a_second()
    {
        var made = 0;
        for (var i = 0; i < 10_000; i++)
        {
            made += _limiter.Acquire(IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.0.{i / 250}.{i % 250}")), _now) is null ? 1 : 0;
            _now += TimeSpan.FromMilliseconds(10);
        }

        Assert.InRange(made, PasswordRateLimiter.Burst + 99, PasswordRateLimiter.Burst + 101);
    }

    [Fact]
    public void What_is_remembered_has_a_bound_and_the_oldest_goes_first()
    {
        var known = new ExpiringCache<int, string>(TimeSpan.FromMinutes(1), 3);
        foreach (var i in new[] { 1, 2, 3, 1, 4 })
        {
            known.Set(i, $"{i}", _now);
        }

        Assert.Equal([true, false, true, true], new[] { 1, 2, 3, 4 }.Select(i => known.TryGet(i, _now, out _)));
        Assert.False(known.TryGet(1, _now + TimeSpan.FromMinutes(1), out _));
        known.Set(5, "5", _now + TimeSpan.FromMinutes(1));
        Assert.Equal(1, known.Count);
    }

    private void Exhaust(IPAddress address)
    {
        while (_limiter.Acquire(address, _now) is null)
        {
        }
    }
}
