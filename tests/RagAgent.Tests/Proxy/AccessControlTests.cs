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
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Who may come in, at a real door before a real app.</summary>
public sealed class AccessControlTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SupervisedApp _agent;
    private readonly HttpClient _browser = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
    private TestServer _app = null!;
    private Visit _visit = null!;
    private Password _password = null!;
    private readonly List<string> _told = [];
    private AccessControl _access = null!;

    public AccessControlTests() => _agent = new SupervisedApp(time: _time);

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _visit.DisposeAsync();
        await _app.DisposeAsync();
        await _password.Keeper.StopAsync(CancellationToken.None);
        _password.Keeper.Dispose();
        await _agent.DisposeAsync();
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Without_it_everybody_comes_in_and_what_they_send_is_the_apps()
    {
        await OpenAsync((AccessConfig?)null);

        using var answer = await AskAsync(Basic("me", "mine"), "a=1; ragagent_access=2");

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal((Basic("me", "mine").ToString(), "a=1; ragagent_access=2"), (Arrived("Authorization"), Arrived("Cookie")));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_gives_no_password_is_asked_for_it_and_does_not_reach_the_app()
    {
        await OpenAsync(Password.Only);

        using var answer = await AskAsync();

        Assert.Equal((401, "A password is needed to come in.\n"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
        Assert.Equal("Basic realm=\"ragstream\", charset=\"UTF-8\"", answer.Headers.WwwAuthenticate.ToString());
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Empty(_app.Requests);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("me", Password.Right, 200)]
    [InlineData("", Password.Right, 200)]
    [InlineData("any:one", Password.Right, 401)]   // the user's name ends at the first colon
    [InlineData("me", "wrong", 401)]
    [InlineData("me", "", 401)]
    [InlineData("me", Password.Right + " ", 401)]
    public async Task The_password_counts_and_the_users_name_does_not(string user, string password, int status)
    {
        await OpenAsync(Password.Only);

        using var answer = await AskAsync(Basic(user, password));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200 ? 1 : 0, _app.Requests.Count);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm8gY29sb24=")]
    [InlineData("Bearer token")]
    [InlineData("Basic bm8gY29sb24=, Basic bm8gY29sb24=")]
    public async Task What_is_no_password_at_all_costs_no_comparison(string authorization)
    {
        await OpenAsync(Password.Only);

        Assert.Equal("401", RawVisitor.Statuses(await RawVisitor.AskAsync(_visit.Port, $"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n", Stop)));

        Assert.Equal(0, _access.Comparisons);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Neither_the_password_nor_the_cookie_reaches_the_app_and_what_is_the_apps_stays()
    {
        await OpenAsync(Password.Only);
        using var first = await AskAsync(Basic("me", Password.Right));
        var cookie = CookieOf(first);

        using var second = await AskAsync(new AuthenticationHeaderValue("Bearer", "apps-own"), $"a=1; ragagent_access={cookie}; b=\"2\"; ragagent_access_not=3");

        Assert.Equal(200, (int)second.StatusCode);
        Assert.Null(_app.Requests[0].Headers.GetValueOrDefault("Authorization"));
        Assert.Equal(("Bearer apps-own", "a=1; b=\"2\"; ragagent_access_not=3"), (Arrived("Authorization", 1), Arrived("Cookie", 1)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_cookie_is_no_scripts_and_no_other_sites_and_has_an_end()
    {
        await OpenAsync(Password.Only);

        using var answer = await AskAsync(Basic("me", Password.Right));

        Assert.Matches("^ragagent_access=1767268800\\.[0-9a-f]{64}; max-age=43200; path=/; samesite=lax; httponly$", Assert.Single(answer.Headers.GetValues("Set-Cookie")));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task No_cache_before_the_door_keeps_an_answer_with_the_cookie_and_any_other_is_kept_as_the_app_says()
    {
        await OpenAsync(Password.Only);

        using var first = await AskAsync(Basic("me", Password.Right));
        using var second = await AskAsync(null, $"ragagent_access={CookieOf(first)}");

        Assert.Equal(("no-store", "public, max-age=31536000"), ($"{first.Headers.CacheControl}", $"{second.Headers.CacheControl}"));
        Assert.False(second.Headers.Contains("Set-Cookie"));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_cookie_lets_a_WebSocket_in_that_has_no_password_and_without_one_it_stays_outside()
    {
        await OpenAsync(Password.Only);
        Assert.Contains("401", (await Assert.ThrowsAsync<WebSocketException>(() => SessionAsync(null))).Message, StringComparison.Ordinal);
        using var answer = await AskAsync(Basic("me", Password.Right));

        using var session = await SessionAsync(CookieOf(answer));

        Assert.Equal(WebSocketState.Open, session.State);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_cookie_lives_through_a_restart_and_ends_in_time_with_the_password_and_when_it_was_touched()
    {
        await OpenAsync(Password.Only);
        using var answer = await AskAsync(Basic("me", Password.Right));
        var cookie = CookieOf(answer);

        Assert.Equal(200, await StatusByCookieAsync(cookie, new AccessControl(_password.Config, _password.Keeper, _agent.Clock, NullLogger<AccessControl>.Instance)));
        Assert.Equal(401, await StatusByCookieAsync("1" + cookie));
        Assert.Equal(401, await StatusByCookieAsync(cookie[..^1] + (cookie[^1] == '0' ? '1' : '0')));
        Assert.Equal(401, await StatusByCookieAsync("."));
        Assert.Equal(401, await StatusByCookieAsync("99999999999999999999." + new string('0', 64)));
        _time.Advance(AccessCookie.Lifetime - TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusByCookieAsync(cookie));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await StatusByCookieAsync(cookie));

        using var again = await AskAsync(Basic("me", Password.Right));
        cookie = CookieOf(again);
        _password.Stored = () => new RawSecret(PasswordHash.Create(Password.Right, PasswordHash.MinIterations), "2");
        var before = _password.Keeper.Hash;
        _ = _password.Keeper.RefreshAsync();
        await _password.UntilAsync(keeper => keeper.Hash != before, Stop);
        Assert.Equal(401, await StatusByCookieAsync(cookie));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_page_full_of_requests_costs_one_comparison_and_the_next_one_none()
    {
        await OpenAsync(Password.Only);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(Basic("me", Password.Right))));
        Assert.All(answers, answer => Assert.Equal(200, (int)answer.StatusCode));
        Array.ForEach(answers, answer => answer.Dispose());
        using var later = await AskAsync(Basic("me", Password.Right));

        Assert.Equal(200, (int)later.StatusCode);
        Assert.Equal(1, _access.Comparisons);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_guesses_is_slowed_down_though_all_come_at_once_and_who_is_in_does_not_notice()
    {
        await OpenAsync(Password.Only);
        using var inside = await AskAsync(Basic("me", Password.Right));

        var answers = await Task.WhenAll(Enumerable.Range(0, 15).Select(i => AskAsync(Basic("me", $"guess {i}"))));

        Assert.Equal((PasswordRateLimiter.FreeAttempts, 15 - PasswordRateLimiter.FreeAttempts), (answers.Count(a => (int)a.StatusCode == 401), answers.Count(a => (int)a.StatusCode == 429)));
        Assert.All(answers.Where(a => (int)a.StatusCode == 429), answer => Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60));
        Assert.Equal(1 + PasswordRateLimiter.FreeAttempts, _access.Comparisons);
        Array.ForEach(answers, answer => answer.Dispose());
        // The right one, too, has to wait: whether it is right must not be found out faster.
        Assert.Equal(429, await StatusAsync(Basic("another", Password.Right)));
        Assert.Equal(200, await StatusAsync(Basic("me", Password.Right)));
        Assert.Equal(200, await StatusByCookieAsync(CookieOf(inside)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusAsync(Basic("another", Password.Right)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_same_wrong_password_again_and_again_is_compared_once()
    {
        await OpenAsync(Password.Only);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, await StatusAsync(Basic("me", "an old one")));
        }

        Assert.Equal(1, _access.Comparisons);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("127.0.0.0/8", 200)]
    [InlineData("::/0", 403)]
    [InlineData("203.0.113.0/24", 403)]
    public async Task With_networks_alone_others_are_told_so(string network, int status)
    {
        await OpenAsync(new AccessConfig { Networks = [IPNetwork.Parse(network)] });

        using var answer = await AskAsync(Basic("me", "the apps own"));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200 ? "from the app" : "Visitors come in from certain networks only, and this address is in none of them.\n", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal(status == 200 ? [Basic("me", "the apps own").ToString()] : [], _app.Requests.Select(request => request.Headers["Authorization"]));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_a_visitor_says_of_his_address_is_not_believed()
    {
        await OpenAsync(new AccessConfig { Networks = [IPNetwork.Parse("203.0.113.0/24")] });

        Assert.Equal("403", RawVisitor.Statuses(await RawVisitor.AskAsync(_visit.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.5\r\nForwarded: for=203.0.113.5\r\nX-Real-IP: 203.0.113.5\r\n\r\n", Stop)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task From_a_network_one_comes_in_without_the_password_that_others_need_and_also_while_it_can_not_be_read()
    {
        _password = new Password(Password.Only with { Networks = [IPNetwork.Parse("127.0.0.1/32")] }, _time) { Stored = () => throw new ProblemException(Told.Trouble) };
        await _password.Keeper.StartAsync(Stop);
        await OpenAsync(_password);

        Assert.Equal(200, await StatusAsync(Basic("me", "whatever")));
        Assert.Null(_app.Requests[0].Headers.GetValueOrDefault("Authorization"));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task While_the_hash_can_not_be_read_nobody_comes_in_and_the_reason_is_not_told_to_visitors()
    {
        _password = new Password(Password.Only, _time) { Stored = () => throw new ProblemException(new Problem("x", "The parameter /secret-name does not exist.", "Create it.")) };
        await _password.Keeper.StartAsync(Stop);
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);
        await OpenAsync(_password);

        using var answer = await AskAsync(Basic("me", Password.Right));

        Assert.Equal((503, "Nobody can come in right now: the password can't be checked. The operator finds the reason by 'ragagent status'.\n"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory(Timeout = Patience.Milliseconds)]
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
    public async Task Only_the_question_of_a_certificate_authority_comes_in_without(string line, string status)
    {
        await OpenAsync(Password.Only);

        var answer = await RawVisitor.AskAsync(_visit.Port, $"{line} HTTP/1.1\r\nHost: app\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Stop);

        Assert.Equal(status, RawVisitor.Statuses(answer));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_wrong_password_is_told_with_where_it_came_from_once_a_minute_and_no_password_is_none()
    {
        await OpenAsync(Password.Only);

        await AskAsync(null);
        await AskAsync(Basic("me", "wrong"));
        await AskAsync(Basic("me", "wrong again"));
        await AskAsync(Basic("me", Password.Right));

        Assert.Equal("A wrong password came from 127.0.0.1.", Assert.Single(_told));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AuthenticationHeaderValue Basic(string user, string password) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static string CookieOf(HttpResponseMessage answer) => answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=')[1];

    private async Task OpenAsync(AccessConfig? access)
    {
        _password = new Password(access, _time);
        await OpenAsync(access?.Password is null ? _password : await _password.ReadyAsync(Stop));
    }

    private async Task OpenAsync(Password password)
    {
        _access = new AccessControl(password.Config, password.Keeper, _agent.Clock, new Heard<AccessControl>(_told));
        _app = await TestServer.StartAsync(async call =>
        {
            if (call.WebSockets.IsWebSocketRequest)
            {
                using var socket = await call.WebSockets.AcceptWebSocketAsync();
                await TestServer.HangAsync(call);
            }
            else
            {
                call.Response.Headers.CacheControl = "public, max-age=31536000";   // as Streamlit's scripts
                await call.Response.WriteAsync("from the app");
            }
        });
        await OpenDoorAsync(_access);
    }

    private async Task OpenDoorAsync(AccessControl access)
    {
        _visit = await Visit.AtAsync(_agent, Stop, access: access);
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(_app.Port) });
    }

    private Task<HttpResponseMessage> AskAsync(AuthenticationHeaderValue? authorization = null, string? cookies = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_visit.Browser.BaseAddress!, "page")) { Headers = { Authorization = authorization } };
        if (cookies is not null)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookies);
        }
        return _browser.SendAsync(request, Stop);
    }

    private async Task<int> StatusAsync(AuthenticationHeaderValue authorization)
    {
        using var answer = await AskAsync(authorization);
        return (int)answer.StatusCode;
    }

    /// <param name="cookie">Its value.</param>
    /// <param name="next">The agent was restarted, and this one stands at its door.</param>
    private async Task<int> StatusByCookieAsync(string cookie, AccessControl? next = null)
    {
        if (next is not null)
        {
            await _visit.DisposeAsync();
            await OpenDoorAsync(next);
        }
        using var answer = await AskAsync(cookies: $"{AccessCookie.Name}={cookie}");
        return (int)answer.StatusCode;
    }

    private async Task<ClientWebSocket> SessionAsync(string? cookie)
    {
        var session = new ClientWebSocket();
        session.Options.Proxy = null;
        if (cookie is not null)
        {
            session.Options.SetRequestHeader("Cookie", $"{AccessCookie.Name}={cookie}");
        }
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{_visit.Port}/_stcore/stream"), Stop);
        return session;
    }

    private string? Arrived(string header, int request = 0) => _app.Requests[request].Headers.GetValueOrDefault(header);
}
