using System.Globalization;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What the app writes stands beside what the agent writes: all of it, once, and nothing secret.</summary>
public sealed class AppLogTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string LinePrefix = " app| ";

    [Fact]
    public async Task Lines_of_both_streams_arrive_marked_and_in_order()
    {
        var agent = await ServeAsync();

        await WriteAsync("for i in 1 2 3 4 5; do echo \"out $i\" >/proc/1/fd/1; echo \"err $i\" >/proc/1/fd/2; done; echo 'no error' >/proc/1/fd/2; echo last >/proc/1/fd/1");

        await WaitForLineAsync(agent, "last");
        await WaitForLineAsync(agent, "no error");
        var lines = AppLines(agent);
        Assert.Equal("fake app 1 serves on port 8501", lines[0]);
        Assert.Equal(Enumerable.Range(1, 5).Select(i => $"out {i}"), lines.Where(l => l.StartsWith("out ", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(1, 5).Select(i => $"err {i}"), lines.Where(l => l.StartsWith("err ", StringComparison.Ordinal)));
        Assert.DoesNotContain(agent.Log.Split('\n'), l => l.Contains(LinePrefix, StringComparison.Ordinal) && !l.Contains(" info  app| ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agents_that_end_and_begin_again_write_every_line_exactly_once()
    {
        var agents = new List<AgentProcess> { await ServeAsync() };
        await CountAsync(3000);
        for (var restart = 1; restart <= 5; restart++)
        {
            await WaitForLinesAsync(agents[^1], 100);
            Assert.Equal(0, await agents[^1].StopAsync());
            agents.Add(StartAgent());
        }
        await WaitForLinesAsync(agents[^1], 100);
        await ReloadAsync(agents[^1]);   // the same in one process
        await WaitForLineAsync(agents[^1], "line 3000");

        Assert.Equal(Enumerable.Range(1, 3000), agents.SelectMany(Numbers));
        Assert.All(agents, agent => Assert.DoesNotContain("continues with new lines only", agent.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Agents_that_are_killed_leave_no_gap_and_repeat_at_most_what_was_just_being_written()
    {
        var agents = new List<AgentProcess> { await ServeAsync() };
        await CountAsync(3000);
        for (var kill = 1; kill <= 8; kill++)
        {
            await WaitForLinesAsync(agents[^1], 80);
            await agents[^1].StopAsync("KILL");
            agents.Add(StartAgent());
        }
        await WaitForLineAsync(agents[^1], "line 3000");

        var next = 1;
        var repeated = 0;
        foreach (var numbers in agents.Select(Numbers).Where(numbers => numbers.Length > 0))
        {
            Assert.Equal(Enumerable.Range(numbers[0], numbers.Length), numbers);
            Assert.InRange(numbers[0], next - 50, next);   // a batch has 50 lines at most
            repeated += next - numbers[0];
            next = numbers[^1] + 1;
        }
        Assert.Equal(3001, next);
        TestContext.Current.SendDiagnosticMessage($"Repeated after 8 kills: {repeated} lines.");
    }

    [Fact]
    public async Task A_key_that_the_app_writes_is_taken_out_also_where_the_engine_splits_the_line()
    {
        var agent = await ServeAsync();

        await WriteAsync($"echo 'Incorrect API key provided: {Key}.' >/proc/1/fd/2");
        // The engine splits at 16384: the key stands on both sides of it, and many stars before it make the line short.
        await WriteAsync($"head -c {16384 - 20} /dev/zero | tr '\\0' x >/tmp/long; echo '{Key}{Key}' >>/tmp/long; cat /tmp/long >/proc/1/fd/1");
        await WriteAsync($"i=0; while [ $i -lt {16384 / Key.Length} ]; do printf %s '{Key}'; i=$((i+1)); done >/tmp/long; echo '{Key}{Key}' >>/tmp/long; cat /tmp/long >/proc/1/fd/1");
        await WriteAsync("echo 'after it' >/proc/1/fd/1");

        await WaitForLineAsync(agent, "after it");
        await WaitForLineAsync(agent, "Incorrect API key provided: ***.");
        Assert.DoesNotContain(Key[..14], agent.Log, StringComparison.Ordinal);
        var cut = AppLines(agent).Where(l => l.EndsWith(" …(cut)", StringComparison.Ordinal)).ToArray();
        Assert.Equal([new string('x', 8192) + " …(cut)", string.Concat(Enumerable.Repeat("***", (16384 / Key.Length) + 1)) + " …(cut)"], cut);
        Assert.Equal(["fake app 1 serves on port 8501", "Incorrect API key provided: ***.", .. cut, "after it"], AppLines(agent));
    }

    [Fact]
    public async Task What_is_no_text_does_no_harm()
    {
        var agent = await ServeAsync();

        await WriteAsync(@"printf 'bad \377\376 bytes\n\033[2J\033]0;title\007red\rback\tand tab\n<3>no error\n\n' >/proc/1/fd/1; echo end >/proc/1/fd/1");

        await WaitForLineAsync(agent, "end");
        Assert.Equal(["bad \ufffd\ufffd bytes", "␛[2J␛]0;title␇red␍back\tand tab", "<3>no error", "", "end"], AppLines(agent).Skip(1));
    }

    [Fact]
    public async Task While_the_key_can_not_be_read_lines_wait_and_then_come()
    {
        var first = await ServeAsync();
        await WriteAsync("echo before >/proc/1/fd/1");
        await WaitForLineAsync(first, "before");
        await first.StopAsync();
        Aws.Faults.Add(Operations.GetParameter, new Fault.Cut());
        var second = StartAgent();
        await WaitUntilServingAsync();
        await WriteAsync($"echo 'key {Key}' >/proc/1/fd/1; echo after >/proc/1/fd/1");
        await WaitUntilAsync(() => Task.FromResult(second.Log.Contains($"The log of {Name} ", StringComparison.Ordinal)), "it says that the log waits");
        Assert.Empty(AppLines(second));

        Aws.Faults.Clear();

        await WaitForLineAsync(second, "after");
        Assert.Equal(["key ***", "after"], AppLines(second));
    }

    [Fact]
    public async Task A_flood_is_capped_and_counted_and_takes_no_memory()
    {
        var agent = await ServeAsync();
        await WriteAsync("echo warm >/proc/1/fd/1");
        await WaitForLineAsync(agent, "warm");
        var before = ResidentKiB(agent);

        await WriteAsync("yes 'a line of a flood that is as long as lines of logs are, more or less, by and large' | head -c 100000000 >/proc/1/fd/1; sleep 6; { echo; echo the end; } >/proc/1/fd/1");

        await WaitForLineAsync(agent, "the end");
        await WaitUntilAsync(() => Task.FromResult(agent.Log.Contains("lines were dropped here", StringComparison.Ordinal)), "the lines left out are counted");
        var written = AppLines(agent).Count(l => l.StartsWith("a line of a flood", StringComparison.Ordinal));
        Assert.InRange(written, 2_000, 15_000);
        await agent.WaitForLogAsync($"'docker logs {Name}' has them.");
        Assert.InRange(ResidentKiB(agent) - before, int.MinValue, 30 * 1024);
    }

    [Fact]
    public async Task Last_words_stand_before_what_is_said_of_the_end()
    {
        Config["environment"] = new JsonObject { ["FAKE_APP_EXIT_CODE"] = "3" };
        // An engine that takes its time to open a log: without waiting, the sentence would be there first.
        await using var slow = new DelayingEngineProxy(Path.Combine(Folder, "slow.sock"), new Uri(Docker.Host).LocalPath, "/logs?follow=true", TimeSpan.FromMilliseconds(300));
        AgentEnvironment["DOCKER_HOST"] = $"unix://{slow.Path}";
        await PushAsync();
        var agent = StartAgent();
        await WaitForAsync(s => s.App.Crashes >= 3, "it ended three times");

        var log = agent.Log.Split('\n').Where(l => l.Contains("app| fake app 1 exits with code 3", StringComparison.Ordinal) || l.Contains("exited with code 3.", StringComparison.Ordinal)).ToArray();
        Assert.InRange(log.Length, 6, 100);
        Assert.All(log.Chunk(2).Where(pair => pair.Length == 2), pair =>
        {
            Assert.Contains(LinePrefix, pair[0], StringComparison.Ordinal);
            Assert.DoesNotContain(LinePrefix, pair[1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_last_words_of_a_container_that_is_replaced_are_written_before_it_is_removed_and_its_place_goes_with_it()
    {
        Config["update"]!["swap"] = "stop-first";   // else the next one serves before this one stops
        var agent = await ServeAsync();
        var id = (await Docker.InspectAsync(Name))!["Id"]!.GetValue<string>();
        Assert.Equal([$"{Name}.{id}"], CursorFiles());
        await PushAsync("2");

        (await UpdateAsync()).AssertSucceeded();

        await WaitForLineAsync(agent, "fake app 2 serves on port 8501");
        Assert.Equal(["fake app 1 serves on port 8501", "fake app 1 stops", "fake app 2 serves on port 8501"], AppLines(agent));
        var next = (await Docker.InspectAsync(Name))!["Id"]!.GetValue<string>();
        await WaitUntilAsync(() => Task.FromResult(CursorFiles() is [var only] && only == $"{Name}.{next}"), "the place of the first one is removed");
    }

    [Fact]
    public async Task When_the_engine_is_restarted_beneath_the_app_its_log_goes_on()
    {
        var folder = Path.Combine(Folder, "e");
        AgentEnvironment["DOCKER_HOST"] = $"unix://{folder}/docker.sock";
        var docker = new DockerCli(AgentEnvironment["DOCKER_HOST"], Path.Combine(Folder, "client"));
        await PushAsync();
        try
        {
            (await EngineFixture.RunScriptAsync("scripts/engine.sh", "start", folder, "--live-restore")).AssertSucceeded();
            var agent = StartAgent();
            await WaitUntilServingAsync();
            await docker.DoAsync("exec", "--detach", Name, "/bin/sh", "-c", Counting(600));
            foreach (var signal in (string[])["TERM", "KILL"])
            {
                var line = Numbers(agent).LastOrDefault() + 100;
                await WaitForLineAsync(agent, $"line {line}");
                var dockerd = (await File.ReadAllTextAsync(Path.Combine(folder, "pid"), TestCancellation)).Trim();
                await ProcessRunner.RunAsync("kill", [$"-{signal}", dockerd], stopping: TestCancellation);
                await WaitUntilAsync(() => Task.FromResult(!Directory.Exists($"/proc/{dockerd}")), "the engine has ended");
                (await EngineFixture.RunScriptAsync("scripts/engine.sh", "start", folder, "--live-restore")).AssertSucceeded();
            }
            await WaitForLineAsync(agent, "line 600");

            Assert.Equal(Enumerable.Range(1, 600), Numbers(agent));
        }
        finally
        {
            await EngineFixture.RunScriptAsync("scripts/engine.sh", "stop", folder);
        }
    }

    [Fact]
    public async Task Without_a_state_directory_the_log_is_written_and_what_is_missing_is_said_once()
    {
        await File.WriteAllTextAsync(StateDirectory, "in the way", TestCancellation);
        var first = await ServeAsync();
        await WriteAsync("echo one >/proc/1/fd/1");
        await WaitForLineAsync(first, "one");
        await first.StopAsync();
        await WriteAsync("echo between >/proc/1/fd/1");

        var second = StartAgent();
        await WaitUntilServingAsync();
        await WaitUntilAsync(() => Task.FromResult(second.Log.Contains("Secrets", StringComparison.OrdinalIgnoreCase)), "the secrets are read");
        await WriteAsync("echo two >/proc/1/fd/1");
        await WaitForLineAsync(second, "two");

        Assert.Equal(["two"], AppLines(second));
        await second.WaitForLogAsync("state directory");
        var output = Assert.Single(second.Log.Split('\n'), l => l.Contains("state directory", StringComparison.Ordinal));
        Assert.Contains($" warn  The state directory {StateDirectory} can't be used: ", output, StringComparison.Ordinal);
    }

    private async Task<AgentProcess> ServeAsync()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        return agent;
    }

    /// <summary>As if the app did it.</summary>
    private Task<string> WriteAsync(string script) => Docker.DoAsync("exec", Name, "/bin/sh", "-c", script);

    /// <summary>The app writes numbered lines, steadily and below the cap.</summary>
    private Task<string> CountAsync(int lines) => Docker.DoAsync("exec", "--detach", Name, "/bin/sh", "-c", Counting(lines));

    private static string Counting(int lines) => $"i=1; while [ $i -le {lines} ]; do echo \"line $i\" >/proc/1/fd/1; i=$((i+1)); usleep 6000; done";

    private static Task WaitForLineAsync(AgentProcess agent, string line) =>
        WaitUntilLoggedAsync(agent, () => AppLines(agent).Contains(line), $"the agent writes '{line}' of the app");

    private static Task WaitForLinesAsync(AgentProcess agent, int lines) =>
        WaitUntilLoggedAsync(agent, () => Numbers(agent).Length >= lines, $"the agent writes {lines} of the numbered lines");

    private static async Task WaitUntilLoggedAsync(AgentProcess agent, Func<bool> holds, string what)
    {
        try
        {
            await WaitUntilAsync(() => Task.FromResult(holds()), what);
        }
        catch (Xunit.Sdk.XunitException exception)
        {
            Assert.Fail($"{exception.Message}\nThe agent's log ends:\n{string.Join('\n', agent.Log.Split('\n').TakeLast(20))}");
        }
    }

    private static string[] AppLines(AgentProcess agent) =>
        [.. agent.Log.Split('\n').Select(l => (Line: l, At: l.IndexOf(LinePrefix, StringComparison.Ordinal))).Where(l => l.At >= 0).Select(l => l.Line[(l.At + LinePrefix.Length)..])];

    private static int[] Numbers(AgentProcess agent) =>
        [.. AppLines(agent).Where(l => l.StartsWith("line ", StringComparison.Ordinal)).Select(l => int.Parse(l[5..], CultureInfo.InvariantCulture))];

    private string[] CursorFiles() => [.. Directory.GetFiles(Path.Combine(StateDirectory, "applog")).Select(f => Path.GetFileName(f)!)];

    private static int ResidentKiB(AgentProcess agent) =>
        int.Parse(File.ReadLines($"/proc/{agent.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
