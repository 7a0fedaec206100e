using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Access;
using RagAgent.Secrets;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Access control at a real front door with a real app behind it.</summary>
public sealed class AccessControlTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SupervisorFixture _supervisor;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
    private TestServer _app = null!;
    private FrontDoorFixture _frontDoor = null!;
    private PasswordFixture _password = null!;
    private readonly List<string> _logMessages = [];
    private AccessControl _access = null!;

    public AccessControlTests() => _supervisor = new SupervisorFixture(time: _time);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _frontDoor.DisposeAsync();
        await _app.DisposeAsync();
        await _password.Keeper.StopAsync(CancellationToken.None);
        _password.Keeper.Dispose();
        await _supervisor.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_access_rules_everyone_gets_in_and_the_app_receives_their_credentials()
    {
        await StartAsync((AccessConfig?)null);

        using var response = await GetAsync(Basic("me", "mine"), "a=1; ragagent_access=2");

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(
            (Basic("me", "mine").ToString(), "a=1; ragagent_access=2"),
            (ReceivedHeader("Authorization"), ReceivedHeader("Cookie")));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_client_without_a_password_gets_401_and_does_not_reach_the_app()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        using var response = await GetAsync();

        Assert.Equal(
            (401, "This page requires a password.\n"),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
        Assert.Equal("Basic realm=\"ragstream\", charset=\"UTF-8\"", response.Headers.WwwAuthenticate.ToString());
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.Empty(_app.Requests);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("me", PasswordFixture.Correct, 200)]
    [InlineData("", PasswordFixture.Correct, 200)]
    [InlineData("any:one", PasswordFixture.Correct, 401)]   // the user name ends at the first colon
    [InlineData("me", "wrong", 401)]
    [InlineData("me", "", 401)]
    [InlineData("me", PasswordFixture.Correct + " ", 401)]
    public async Task Only_the_password_counts_not_the_user_name(string user, string password, int status)
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        using var response = await GetAsync(Basic(user, password));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? 1 : 0, _app.Requests.Count);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm8gY29sb24=")]
    [InlineData("Bearer token")]
    [InlineData("Basic bm8gY29sb24=, Basic bm8gY29sb24=")]
    public async Task Malformed_credentials_cost_no_comparison(string authorization)
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        Assert.Equal(
            "401",
            RawHttpClient.StatusCodes(
                await RawHttpClient.ExchangeAsync(
                    _frontDoor.Port,
                    $"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n",
                    TestCancellation)));

        Assert.Equal(0, _access.Comparisons);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_app_receives_its_own_credentials_and_cookies_but_not_the_agents()
    {
        await StartAsync(PasswordFixture.PasswordOnly);
        using var first = await GetAsync(Basic("me", PasswordFixture.Correct));
        var cookie = CookieOf(first);

        using var second = await GetAsync(
            new AuthenticationHeaderValue("Bearer", "apps-own"), $"a=1; ragagent_access={cookie}; b=\"2\"; ragagent_access_not=3");

        Assert.Equal(200, (int)second.StatusCode);
        Assert.Null(_app.Requests[0].Headers.GetValueOrDefault("Authorization"));
        Assert.Equal(
            ("Bearer apps-own", "a=1; b=\"2\"; ragagent_access_not=3"),
            (ReceivedHeader("Authorization", 1), ReceivedHeader("Cookie", 1)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_access_cookie_is_HttpOnly_and_SameSite_and_expires()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        using var response = await GetAsync(Basic("me", PasswordFixture.Correct));

        Assert.Matches(
            "^ragagent_access=1767268800\\.[0-9a-f]{64}; max-age=43200; path=/; samesite=lax; httponly$",
            Assert.Single(response.Headers.GetValues("Set-Cookie")));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Only_a_response_that_sets_the_access_cookie_is_not_cacheable()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        using var first = await GetAsync(Basic("me", PasswordFixture.Correct));
        using var second = await GetAsync(null, $"ragagent_access={CookieOf(first)}");

        Assert.Equal(("no-store", "public, max-age=31536000"), ($"{first.Headers.CacheControl}", $"{second.Headers.CacheControl}"));
        Assert.False(second.Headers.Contains("Set-Cookie"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_access_cookie_admits_a_WebSocket_that_sends_no_password()
    {
        await StartAsync(PasswordFixture.PasswordOnly);
        Assert.Contains("401", (await Assert.ThrowsAsync<WebSocketException>(() => SessionAsync(null))).Message, StringComparison.Ordinal);
        using var response = await GetAsync(Basic("me", PasswordFixture.Correct));

        using var session = await SessionAsync(CookieOf(response));

        Assert.Equal(WebSocketState.Open, session.State);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_cookie_survives_a_restart_but_not_its_expiry_tampering_or_a_new_password()
    {
        await StartAsync(PasswordFixture.PasswordOnly);
        using var response = await GetAsync(Basic("me", PasswordFixture.Correct));
        var cookie = CookieOf(response);

        Assert.Equal(
            200,
            await StatusByCookieAsync(
                cookie, new AccessControl(_password.Config, _password.Keeper, _supervisor.Clock, NullLogger<AccessControl>.Instance)));
        Assert.Equal(401, await StatusByCookieAsync("1" + cookie));
        Assert.Equal(401, await StatusByCookieAsync(cookie[..^1] + (cookie[^1] == '0' ? '1' : '0')));
        Assert.Equal(401, await StatusByCookieAsync("."));
        Assert.Equal(401, await StatusByCookieAsync("99999999999999999999." + new string('0', 64)));
        _time.Advance(AccessCookie.Lifetime - TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusByCookieAsync(cookie));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await StatusByCookieAsync(cookie));

        using var again = await GetAsync(Basic("me", PasswordFixture.Correct));
        cookie = CookieOf(again);
        _password.StoredHash = () => new RawSecret(PasswordHash.Create(PasswordFixture.Correct, PasswordHash.MinIterations), "2");
        var before = _password.Keeper.Hash;
        _ = _password.Keeper.RefreshAsync();
        await _password.WaitForAsync(keeper => keeper.Hash != before, TestCancellation);
        Assert.Equal(401, await StatusByCookieAsync(cookie));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Concurrent_requests_with_one_password_share_a_comparison_and_later_ones_need_none()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GetAsync(Basic("me", PasswordFixture.Correct))));
        Assert.All(answers, response => Assert.Equal(200, (int)response.StatusCode));
        Array.ForEach(answers, response => response.Dispose());
        using var later = await GetAsync(Basic("me", PasswordFixture.Correct));

        Assert.Equal(200, (int)later.StatusCode);
        Assert.Equal(1, _access.Comparisons);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Concurrent_guesses_are_rate_limited_and_logged_in_clients_are_not()
    {
        await StartAsync(PasswordFixture.PasswordOnly);
        using var inside = await GetAsync(Basic("me", PasswordFixture.Correct));

        var answers = await Task.WhenAll(Enumerable.Range(0, 15).Select(i => GetAsync(Basic("me", $"guess {i}"))));

        Assert.Equal(
            (PasswordRateLimiter.FreeAttempts, 15 - PasswordRateLimiter.FreeAttempts),
            (answers.Count(a => (int)a.StatusCode == 401), answers.Count(a => (int)a.StatusCode == 429)));
        Assert.All(
            answers.Where(a => (int)a.StatusCode == 429),
            response => Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60));
        Assert.Equal(1 + PasswordRateLimiter.FreeAttempts, _access.Comparisons);
        Array.ForEach(answers, response => response.Dispose());
        // The correct password has to wait too: otherwise a guess could be confirmed faster.
        Assert.Equal(429, await StatusAsync(Basic("another", PasswordFixture.Correct)));
        Assert.Equal(200, await StatusAsync(Basic("me", PasswordFixture.Correct)));
        Assert.Equal(200, await StatusByCookieAsync(CookieOf(inside)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusAsync(Basic("another", PasswordFixture.Correct)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_repeated_wrong_password_is_compared_once()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, await StatusAsync(Basic("me", "an old password")));
        }

        Assert.Equal(1, _access.Comparisons);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("127.0.0.0/8", 200)]
    [InlineData("::/0", 403)]
    [InlineData("203.0.113.0/24", 403)]
    public async Task With_networks_only_a_client_from_elsewhere_gets_403(string network, int status)
    {
        await StartAsync(new AccessConfig { Networks = [IPNetwork.Parse(network)] });

        using var response = await GetAsync(Basic("me", "the apps own"));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            status == 200 ? "from the app" : "Access is restricted to certain networks, and your address is not in one of them.\n",
            await response.Content.ReadAsStringAsync(TestCancellation));
        Assert.Equal(
            status == 200 ? [Basic("me", "the apps own").ToString()] : [],
            _app.Requests.Select(request => request.Headers["Authorization"]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Forwarding_headers_do_not_change_the_client_address()
    {
        await StartAsync(new AccessConfig { Networks = [IPNetwork.Parse("203.0.113.0/24")] });

        Assert.Equal(
            "403",
            RawHttpClient.StatusCodes(
                await RawHttpClient.ExchangeAsync(
                    _frontDoor.Port,
                    "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n" +
                    "X-Forwarded-For: 203.0.113.5\r\nForwarded: for=203.0.113.5\r\nX-Real-IP: 203.0.113.5\r\n\r\n",
                    TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_allowed_network_gets_in_without_the_password_even_while_the_hash_is_unreadable()
    {
        _password = new PasswordFixture(PasswordFixture.PasswordOnly with { Networks = [IPNetwork.Parse("127.0.0.1/32")] }, _time)
        {
            StoredHash = () => throw new ProblemException(Sample.AnyProblem),
        };
        await _password.Keeper.StartAsync(TestCancellation);
        await StartAsync(_password);

        Assert.Equal(200, await StatusAsync(Basic("me", "whatever")));
        Assert.Null(_app.Requests[0].Headers.GetValueOrDefault("Authorization"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task While_the_hash_is_unreadable_nobody_gets_in_and_the_response_hides_the_reason()
    {
        _password = new PasswordFixture(PasswordFixture.PasswordOnly, _time)
        {
            StoredHash = () => throw new ProblemException(
                new Problem(new ProblemKind("x"), "The parameter /secret-name does not exist.", "Create it.")),
        };
        await _password.Keeper.StartAsync(TestCancellation);
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);
        await StartAsync(_password);

        using var response = await GetAsync(Basic("me", PasswordFixture.Correct));

        Assert.Equal(
            (503, "Nobody can log in right now: the agent can't check passwords. The operator can see why with 'ragagent status'.\n"),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("GET /.well-known/acme-challenge/abc-DEF_123", "200")]
    [InlineData("HEAD /.well-known/acme-challenge/abc", "200")]
    [InlineData("POST /.well-known/acme-challenge/abc", "401")]
    [InlineData("GET /.well-known/acme-challenge/", "401")]
    [InlineData("GET /.well-known/acme-challenge/../../page", "401")]
    [InlineData("GET /.well-known/acme-challenge/%2e%2e/%2e%2e/page", "401")]
    [InlineData("GET /.well-known/acme-challenge/..%2f..%2fpage", "401")]
    [InlineData("GET /x/../.well-known/acme-challenge/abc", "401")]
    [InlineData("GET //.well-known/acme-challenge/abc", "401")]
    [InlineData("GET /.well-known/acme-challenge/abc?x", "401")]
    [InlineData("GET http://app/.well-known/acme-challenge/abc", "401")]
    [InlineData("GET /_ragagent/status", "401")]
    [InlineData("GET /_stcore/health", "401")]
    [InlineData("OPTIONS *", "401")]
    public async Task Only_an_ACME_challenge_gets_in_without_a_password(string line, string status)
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        var response = await RawHttpClient.ExchangeAsync(
            _frontDoor.Port, $"{line} HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", TestCancellation);

        Assert.Equal(status, RawHttpClient.StatusCodes(response));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_wrong_password_is_logged_with_its_address_once_a_minute_and_a_missing_one_is_not()
    {
        await StartAsync(PasswordFixture.PasswordOnly);

        await GetAsync(null);
        await GetAsync(Basic("me", "wrong"));
        await GetAsync(Basic("me", "wrong again"));
        await GetAsync(Basic("me", PasswordFixture.Correct));

        Assert.Equal("A wrong password came from 127.0.0.1.", Assert.Single(_logMessages));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static string CookieOf(HttpResponseMessage response) =>
        response.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=')[1];

    private async Task StartAsync(AccessConfig? access)
    {
        _password = new PasswordFixture(access, _time);
        await StartAsync(access?.Password is null ? _password : await _password.StartAsync(TestCancellation));
    }

    private async Task StartAsync(PasswordFixture password)
    {
        _access = new AccessControl(password.Config, password.Keeper, _supervisor.Clock, new ListLogger<AccessControl>(_logMessages));
        _app = await TestServer.StartAsync(async context =>
        {
            if (context.WebSockets.IsWebSocketRequest)
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await TestServer.HangAsync(context);
            }
            else
            {
                context.Response.Headers.CacheControl = "public, max-age=31536000";   // like Streamlit's scripts
                await context.Response.WriteAsync("from the app");
            }
        });
        await StartFrontDoorAsync(_access);
    }

    private async Task StartFrontDoorAsync(AccessControl access)
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation, access: access);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(_app.Port) });
    }

    private Task<HttpResponseMessage> GetAsync(AuthenticationHeaderValue? authorization = null, string? cookies = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_frontDoor.Client.BaseAddress!, "page"))
        {
            Headers = { Authorization = authorization },
        };
        if (cookies is not null)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookies);
        }
        return _client.SendAsync(request, TestCancellation);
    }

    private async Task<int> StatusAsync(AuthenticationHeaderValue authorization)
    {
        using var response = await GetAsync(authorization);
        return (int)response.StatusCode;
    }

    /// <param name="cookie">The cookie's value.</param>
    /// <param name="next">If set, the front door is restarted with this first.</param>
    private async Task<int> StatusByCookieAsync(string cookie, AccessControl? next = null)
    {
        if (next is not null)
        {
            await _frontDoor.DisposeAsync();
            await StartFrontDoorAsync(next);
        }
        using var response = await GetAsync(cookies: $"{AccessCookie.Name}={cookie}");
        return (int)response.StatusCode;
    }

    private async Task<ClientWebSocket> SessionAsync(string? cookie)
    {
        var session = new ClientWebSocket();
        session.Options.Proxy = null;
        if (cookie is not null)
        {
            session.Options.SetRequestHeader("Cookie", $"{AccessCookie.Name}={cookie}");
        }
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{_frontDoor.Port}/_stcore/stream"), TestCancellation);
        return session;
    }

    private string? ReceivedHeader(string header, int request = 0) => _app.Requests[request].Headers.GetValueOrDefault(header);
}
