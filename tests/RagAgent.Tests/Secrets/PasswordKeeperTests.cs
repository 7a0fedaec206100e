using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Secrets;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Secrets;

public sealed class PasswordKeeperTests : IAsyncDisposable
{
    private static readonly Problem Missing = new("ssm-parameter-missing", "The parameter /password does not exist.", "Create it.");

    private readonly FakeTimeProvider _time = new();
    private readonly Password _password;

    public PasswordKeeperTests() => _password = new Password(Password.Only, _time);

    public async ValueTask DisposeAsync()
    {
        await _password.Keeper.StopAsync(CancellationToken.None);
        _password.Keeper.Dispose();
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task It_is_read_at_the_start_told_once_and_scrubbed_from_all_that_is_shown()
    {
        await _password.ReadyAsync(Stop);
        await ReadAgainAsync();

        Assert.Equal(["The password's hash was read: version 1 of parameter /password."], _password.Said);
        Assert.Equal("it is ***.", _password.Vault.Scrub($"it is {Password.Hash}."));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_new_one_is_taken_when_the_secrets_are_read()
    {
        await _password.ReadyAsync(Stop);
        _password.Stored = () => new RawSecret(PasswordHash.Create("another password", PasswordHash.MinIterations), "2");
        var secrets = new SecretsWithPasswordRefresh(new SecretReader(_password.Config, _password, _password.Vault), _password.Keeper, TimeProvider.System);

        await secrets.ReadAsync(Stop);

        Assert.True(_password.Keeper.Hash!.Verify("another password"));   // by then, so that an update can tell
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_is_said_of_a_parameter_that_is_not_there_speaks_of_a_hash_and_not_of_a_key()
    {
        _password.Stored = () => throw new ProblemException(new Problem("ssm-parameter-missing", "The parameter /password does not exist.", "Create it with 'put --value file://key.txt', or correct secrets or aws.region."));
        await _password.Keeper.StartAsync(Stop);
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);

        Assert.Equal("Make the hash with 'ragagent password > hash.txt'. Create it with 'put --value file://hash.txt', or correct access.password or aws.region.", _password.Keeper.Problem!.Remedy);
        Assert.Equal(_password.Keeper.Problem, _password.Keeper.BlockingProblem);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_can_not_be_read_is_told_and_tried_again_by_itself()
    {
        _password.Stored = () => throw new ProblemException(Missing);
        await _password.Keeper.StartAsync(Stop);
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);
        Assert.Null(_password.Keeper.Hash);
        Assert.Equal(new Problem("access-closed", "The password can't be checked, so no visitor gets in: the parameter /password does not exist.", "Create it."), _password.Keeper.Problem);

        _password.Stored = () => new RawSecret(Password.Hash, "1");
        await TriedAgainAsync(keeper => keeper.Hash is not null);

        Assert.Null(_password.Keeper.Problem);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task One_that_was_read_goes_on_while_its_source_is_out_of_reach()
    {
        await _password.ReadyAsync(Stop);
        _password.Stored = () => throw new ProblemException(Missing);
        await ReadAgainAsync();
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);

        Assert.Equal("access-stale", _password.Keeper.Problem!.Code);
        Assert.True(_password.Keeper.Hash!.Verify(Password.Right));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task One_that_was_replaced_by_what_is_no_hash_counts_no_more_and_the_text_is_not_told()
    {
        await _password.ReadyAsync(Stop);
        _password.Stored = () => new RawSecret("hunter2 itself", "2");
        await ReadAgainAsync();
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);

        Assert.Null(_password.Keeper.Hash);
        Assert.Equal("The password can't be checked, so no visitor gets in: version 2 of parameter /password is no hash that 'ragagent password' made.", _password.Keeper.Problem!.What);
        Assert.DoesNotContain(_password.Said, line => line.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_changes_is_news_to_who_listens()
    {
        var news = 0;
        _password.Keeper.Changed += () => news++;
        _password.Stored = () => throw new ProblemException(Missing);
        await _password.Keeper.StartAsync(Stop);
        await _password.UntilAsync(keeper => keeper.Problem is not null, Stop);
        await TriedAgainAsync(_ => _password.Reads > 2);

        Assert.Equal(1, news);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task ReadAgainAsync()
    {
        var before = _password.Reads;
        _ = _password.Keeper.RefreshAsync();
        await _password.UntilAsync(_ => _password.Reads > before, Stop);
    }

    private async Task TriedAgainAsync(Func<PasswordHashProvider, bool> condition)
    {
        while (!condition(_password.Keeper))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }
}
