using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Secrets;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Secrets;

public sealed class PasswordHashProviderTests : IAsyncDisposable
{
    private static readonly Problem Missing = new(ProblemCatalog.SsmParameterMissing, "The parameter /password does not exist.", "Create it.");

    private readonly FakeTimeProvider _time = new();
    private readonly PasswordFixture _password;

    public PasswordHashProviderTests() => _password = new PasswordFixture(PasswordFixture.PasswordOnly, _time);

    public async ValueTask DisposeAsync()
    {
        await _password.Keeper.StopAsync(CancellationToken.None);
        _password.Keeper.Dispose();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_hash_is_read_at_start_logged_once_and_scrubbed_from_output()
    {
        await _password.StartAsync(TestCancellation);
        await ReadAgainAsync();

        Assert.Equal(["Read the password's hash: version 1 of parameter /password."], _password.LogMessages);
        Assert.Equal("it is ***.", _password.Vault.Scrub($"it is {PasswordFixture.Hash}."));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_new_hash_is_read_together_with_the_secrets()
    {
        await _password.StartAsync(TestCancellation);
        _password.StoredHash = () => new RawSecret(PasswordHash.Create("another password", PasswordHash.MinIterations), "2");
        var secrets = new SecretsWithPasswordRefresh(
            new SecretReader(_password.Config, _password, _password.Vault), _password.Keeper, TimeProvider.System);

        await secrets.ReadAsync(TestCancellation);

        Assert.True(_password.Keeper.Hash!.Verify("another password"));   // when the read completes, so that an update can report it
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_parameter_store_is_told_that_the_parameter_is_the_password()
    {
        _password.StoredHash = () => throw new ProblemException(Missing);
        await _password.Keeper.StartAsync(TestCancellation);
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);

        Assert.Equal(SecretPurpose.Password, _password.LastPurpose);
        Assert.Equal(("Create it.", _password.Keeper.Problem), (_password.Keeper.Problem!.Remedy, _password.Keeper.BlockingProblem));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_hash_that_can_not_be_read_is_reported_and_retried()
    {
        _password.StoredHash = () => throw new ProblemException(Missing);
        await _password.Keeper.StartAsync(TestCancellation);
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);
        Assert.Null(_password.Keeper.Hash);
        Assert.Equal(
            new Problem(
                ProblemCatalog.AccessClosed, "Passwords can't be checked, so nobody gets access: the parameter /password does not exist.",
                "Create it."),
            _password.Keeper.Problem);

        _password.StoredHash = () => new RawSecret(PasswordFixture.Hash, "1");
        await AdvanceUntilAsync(keeper => keeper.Hash is not null);

        Assert.Null(_password.Keeper.Problem);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_last_hash_stays_valid_while_its_source_can_not_be_reached()
    {
        await _password.StartAsync(TestCancellation);
        _password.StoredHash = () => throw new ProblemException(Missing);
        await ReadAgainAsync();
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);

        Assert.Equal("access-stale", _password.Keeper.Problem!.Code);
        Assert.True(_password.Keeper.Hash!.Verify(PasswordFixture.Correct));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_invalid_new_hash_revokes_the_old_one_and_its_text_is_not_logged()
    {
        await _password.StartAsync(TestCancellation);
        _password.StoredHash = () => new RawSecret("hunter2 itself", "2");
        await ReadAgainAsync();
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);

        Assert.Null(_password.Keeper.Hash);
        Assert.Equal(
            "Passwords can't be checked, so nobody gets access: version 2 of parameter /password is not a hash made by 'ragagent password'.",
            _password.Keeper.Problem!.What);
        Assert.DoesNotContain(_password.LogMessages, line => line.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_changed_problem_raises_the_event_once()
    {
        var news = 0;
        _password.Keeper.Changed += () => news++;
        _password.StoredHash = () => throw new ProblemException(Missing);
        await _password.Keeper.StartAsync(TestCancellation);
        await _password.WaitForAsync(keeper => keeper.Problem is not null, TestCancellation);
        await AdvanceUntilAsync(_ => _password.ReadCount > 2);

        Assert.Equal(1, news);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private async Task ReadAgainAsync()
    {
        var before = _password.ReadCount;
        _ = _password.Keeper.RefreshAsync();
        await _password.WaitForAsync(_ => _password.ReadCount > before, TestCancellation);
    }

    private async Task AdvanceUntilAsync(Func<PasswordHashProvider, bool> condition)
    {
        while (!condition(_password.Keeper))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            TestCancellation.ThrowIfCancellationRequested();
        }
    }
}
