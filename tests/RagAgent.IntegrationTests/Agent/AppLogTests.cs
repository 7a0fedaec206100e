using System.Globalization;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The app's output appears in the agent's log: completely, once, and without secrets.</summary>
public sealed class AppLogTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string LinePrefix = " app| ";

    [Fact]
    public async Task App_lines_of_both_streams_arrive_marked_and_in_order()
    {
        var agent = await ServeAsync();

        await WriteAsync("for i in 1 2 3 4 5; do echo \"out $i\" >/proc/1/fd/1; echo \"err $i\" >/proc/1/fd/2; done; echo 'no error' >/proc/1/fd/2; echo last >/proc/1/fd/1");

        await WaitForLineAsync(agent, "last");
        await WaitForLineAsync(agent, "no error");
        var lines = AppLines(agent);
        Assert.Equal("fake app 1 serves on port 8501", lines[0]);
        Assert.Equal(Enumerable.Range(1, 5).Select(i => $"out {i}"), lines.Where(l => l.StartsWith("out ", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(1, 5).Select(i => $"err {i}"), lines.Where(l => l.StartsWith("err ", StringComparison.Ordinal)));
        Assert.DoesNotContain(
            agent.Log.Split('\n'),
            l => l.Contains(LinePrefix, StringComparison.Ordinal) && !l.Contains(" info  app| ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Restarted_agents_write_every_app_line_exactly_once()
    {
        var agents = new List<AgentProcess> { await ServeAsync() };
        await WriteNumberedLinesAsync(3000);
        for (var restart = 1; restart <= 5; restart++)
        {
            await WaitForLinesAsync(agents[^1], 100);
            Assert.Equal(0, await agents[^1].StopAsync());
            agents.Add(StartAgent());
        }
        await WaitForLinesAsync(agents[^1], 100);
        await ReloadAsync(agents[^1]);   // a restart within the process
        await WaitForLineAsync(agents[^1], "line 3000");

        Assert.Equal(Enumerable.Range(1, 3000), agents.SelectMany(LineNumbers));
        Assert.All(agents, agent => Assert.DoesNotContain("continues with new lines only", agent.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Killed_agents_lose_no_app_line_and_repeat_at_most_one_batch()
    {
        var agents = new List<AgentProcess> { await ServeAsync() };
        await WriteNumberedLinesAsync(3000);
        for (var kill = 1; kill <= 8; kill++)
        {
            await WaitForLinesAsync(agents[^1], 80);
            await agents[^1].StopAsync("KILL");
            agents.Add(StartAgent());
        }
        await WaitForLineAsync(agents[^1], "line 3000");

        var next = 1;
        var repeated = 0;
        foreach (var numbers in agents.Select(LineNumbers).Where(numbers => numbers.Length > 0))
        {
            Assert.Equal(Enumerable.Range(numbers[0], numbers.Length), numbers);
            Assert.InRange(numbers[0], next - 50, next);   // a batch has at most 50 lines
            repeated += next - numbers[0];
            next = numbers[^1] + 1;
        }
        Assert.Equal(3001, next);
        TestContext.Current.SendDiagnosticMessage($"Repeated after 8 kills: {repeated} lines.");
    }

    [Fact]
    public async Task A_secret_in_the_apps_log_is_scrubbed_even_where_the_engine_splits_the_line()
    {
        var agent = await ServeAsync();

        await WriteAsync($"echo 'Incorrect API key provided: {Key}.' >/proc/1/fd/2");
        // The engine splits lines at 16384 bytes. The second line has the secret across the split; the third shrinks when scrubbed.
        await WriteAsync($"head -c {16384 - 20} /dev/zero | tr '\\0' x >/tmp/long; echo '{Key}{Key}' >>/tmp/long; cat /tmp/long >/proc/1/fd/1");
        await WriteAsync(
            $"i=0; while [ $i -lt {16384 / Key.Length} ]; do printf %s '{Key}'; i=$((i+1)); done >/tmp/long; echo '{Key}{Key}' >>/tmp/long; cat /tmp/long >/proc/1/fd/1");
        await WriteAsync("echo 'after it' >/proc/1/fd/1");

        await WaitForLineAsync(agent, "after it");
        await WaitForLineAsync(agent, "Incorrect API key provided: ***.");
        Assert.DoesNotContain(Key[..14], agent.Log, StringComparison.Ordinal);
        var cut = AppLines(agent).Where(l => l.EndsWith(" …(cut)", StringComparison.Ordinal)).ToArray();
        Assert.Equal(
            [new string('x', 8192) + " …(cut)", string.Concat(Enumerable.Repeat("***", (16384 / Key.Length) + 1)) + " …(cut)"], cut);
        Assert.Equal(["fake app 1 serves on port 8501", "Incorrect API key provided: ***.", .. cut, "after it"], AppLines(agent));
    }

    [Fact]
    public async Task Bytes_in_the_apps_log_that_are_not_text_are_made_harmless()
    {
        var agent = await ServeAsync();

        await WriteAsync(@"printf 'bad \377\376 bytes\n\033[2J\033]0;title\007red\rback\tand tab\n<3>no error\n\n' >/proc/1/fd/1; echo end >/proc/1/fd/1");

        await WaitForLineAsync(agent, "end");
        Assert.Equal(["bad \ufffd\ufffd bytes", "␛[2J␛]0;title␇red␍back\tand tab", "<3>no error", "", "end"], AppLines(agent).Skip(1));
    }

    [Fact]
    public async Task App_lines_wait_while_the_secret_for_scrubbing_can_not_be_read()
    {
        var first = await ServeAsync();
        await WriteAsync("echo before >/proc/1/fd/1");
        await WaitForLineAsync(first, "before");
        await first.StopAsync();
        Aws.Faults.Add(Operations.GetParameter, new Fault.Cut());
        var second = StartAgent();
        await WaitUntilServingAsync();
        await WriteAsync($"echo 'key {Key}' >/proc/1/fd/1; echo after >/proc/1/fd/1");
        await second.WaitForLogAsync($"The log of {Name} ");
        Assert.Empty(AppLines(second));

        Aws.Faults.Clear();

        await WaitForLineAsync(second, "after");
        Assert.Equal(["key ***", "after"], AppLines(second));
    }

    [Fact]
    public async Task A_flood_of_app_lines_is_capped_and_counted_in_bounded_memory()
    {
        var agent = await ServeAsync();
        await WriteAsync("echo warm >/proc/1/fd/1");
        await WaitForLineAsync(agent, "warm");
        var before = ResidentKiB(agent);

        await WriteAsync(
            "yes 'a line of a flood that is as long as lines of logs are, more or less, by and large' | head -c 100000000 >/proc/1/fd/1; " +
            "sleep 6; { echo; echo the end; } >/proc/1/fd/1");

        await WaitForLineAsync(agent, "the end");
        await agent.WaitForLogAsync("lines were dropped here");
        var written = AppLines(agent).Count(l => l.StartsWith("a line of a flood", StringComparison.Ordinal));
        Assert.InRange(written, 2_000, 15_000);
        await agent.WaitForLogAsync($"'docker logs {Name}' has them.");
        Assert.InRange(ResidentKiB(agent) - before, int.MinValue, 30 * 1024);
    }

    [Fact]
    public async Task The_apps_last_lines_come_before_the_report_of_its_exit()
    {
        Config["environment"] = new JsonObject { ["FAKE_APP_EXIT_CODE"] = "3" };
        // The engine opens the log slowly. Unless the agent waits, its report would come first.
        await using var slow = new DelayingEngineProxy(
            Path.Combine(Folder, "slow.sock"), new Uri(Docker.Host).LocalPath, "/logs?follow=true", TimeSpan.FromMilliseconds(300));
        AgentEnvironment["DOCKER_HOST"] = $"unix://{slow.Path}";
        await PushAsync();
        var agent = StartAgent();
        await WaitForAsync(s => s.App.Crashes >= 3, "the app exited three times");

        string[] exits = ["app| fake app 1 exits with code 3", "exited with code 3."];
        var log = agent.Log.Split('\n').Where(line => exits.Any(exit => line.Contains(exit, StringComparison.Ordinal))).ToArray();
        Assert.InRange(log.Length, 6, 100);
        Assert.All(log.Chunk(2).Where(pair => pair.Length == 2), pair =>
        {
            Assert.Contains(LinePrefix, pair[0], StringComparison.Ordinal);
            Assert.DoesNotContain(LinePrefix, pair[1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_last_lines_of_a_replaced_container_are_written_and_its_log_cursor_is_removed()
    {
        Config["update"]!["swap"] = "stop-first";   // otherwise the new one serves before the old one stops
        var agent = await ServeAsync();
        var id = (await Docker.InspectAsync(Name))!["Id"]!.GetValue<string>();
        Assert.Equal([$"{Name}.{id}"], CursorFiles());
        await PushAsync("2");

        (await UpdateAsync()).AssertSucceeded();

        await WaitForLineAsync(agent, "fake app 2 serves on port 8501");
        Assert.Equal(["fake app 1 serves on port 8501", "fake app 1 stops", "fake app 2 serves on port 8501"], AppLines(agent));
        var next = (await Docker.InspectAsync(Name))!["Id"]!.GetValue<string>();
        await WaitUntilAsync(() => Task.FromResult(CursorFiles() is [var only] && only == $"{Name}.{next}"), "the first container's log cursor is removed");
    }

    [Fact]
    public async Task The_apps_log_continues_after_an_engine_restart()
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
            await docker.RunCheckedAsync("exec", "--detach", Name, "/bin/sh", "-c", NumberedLinesScript(600));
            foreach (var signal in (string[])["TERM", "KILL"])
            {
                var line = LineNumbers(agent).LastOrDefault() + 100;
                await WaitForLineAsync(agent, $"line {line}");
                var dockerd = (await File.ReadAllTextAsync(Path.Combine(folder, "pid"), TestCancellation)).Trim();
                await ProcessRunner.RunAsync("kill", [$"-{signal}", dockerd], stopping: TestCancellation);
                await WaitUntilAsync(() => Task.FromResult(!Directory.Exists($"/proc/{dockerd}")), "the engine has ended");
                (await EngineFixture.RunScriptAsync("scripts/engine.sh", "start", folder, "--live-restore")).AssertSucceeded();
            }
            await WaitForLineAsync(agent, "line 600");

            Assert.Equal(Enumerable.Range(1, 600), LineNumbers(agent));
        }
        finally
        {
            await EngineFixture.RunScriptAsync("scripts/engine.sh", "stop", folder);
        }
    }

    [Fact]
    public async Task Without_a_usable_state_directory_the_apps_log_continues_and_one_warning_is_written()
    {
        await File.WriteAllTextAsync(StateDirectory, "in the way", TestCancellation);
        var first = await ServeAsync();
        await WriteAsync("echo one >/proc/1/fd/1");
        await WaitForLineAsync(first, "one");
        await first.StopAsync();
        await WriteAsync("echo between >/proc/1/fd/1");

        var second = StartAgent();
        await WaitUntilServingAsync();
        await WaitUntilAsync(
            () => Task.FromResult(second.Log.Contains("Secrets", StringComparison.OrdinalIgnoreCase)), "the secrets are read");
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

    /// <summary>Runs a script in the container. /proc/1/fd/1 and 2 are the app's own output streams.</summary>
    private Task<string> WriteAsync(string script) => Docker.RunCheckedAsync("exec", Name, "/bin/sh", "-c", script);

    /// <summary>Makes the app write numbered lines, steadily and below the rate limit.</summary>
    private Task<string> WriteNumberedLinesAsync(int lines) =>
        Docker.RunCheckedAsync("exec", "--detach", Name, "/bin/sh", "-c", NumberedLinesScript(lines));

    private static string NumberedLinesScript(int lines) => $"i=1; while [ $i -le {lines} ]; do echo \"line $i\" >/proc/1/fd/1; i=$((i+1)); usleep 6000; done";

    private static Task WaitForLineAsync(AgentProcess agent, string line) =>
        WaitUntilLoggedAsync(agent, () => AppLines(agent).Contains(line), $"the agent writes the app's line '{line}'");

    private static Task WaitForLinesAsync(AgentProcess agent, int lines) =>
        WaitUntilLoggedAsync(agent, () => LineNumbers(agent).Length >= lines, $"the agent writes {lines} of the numbered lines");

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
        [.. agent.Log.Split('\n').Where(line => line.Contains(LinePrefix, StringComparison.Ordinal)).Select(line =>
            line[(line.IndexOf(LinePrefix, StringComparison.Ordinal) + LinePrefix.Length)..])];

    private static int[] LineNumbers(AgentProcess agent) =>
        [.. AppLines(agent)
            .Where(line => line.StartsWith("line ", StringComparison.Ordinal))
            .Select(line => int.Parse(line["line ".Length..], CultureInfo.InvariantCulture))];

    private string[] CursorFiles() => [.. Directory.GetFiles(Path.Combine(StateDirectory, "applog")).Select(f => Path.GetFileName(f)!)];

    private static int ResidentKiB(AgentProcess agent) =>
        int.Parse(
            File.ReadLines($"/proc/{agent.Id}/status")
                .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);
}
