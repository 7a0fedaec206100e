using System.Text.Json.Nodes;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What an operator reads: the journal with its fields and its explanations, the status, and the doctor.</summary>
public sealed class MachineJournalTests
{
    [Fact]
    public async Task The_journal_has_each_line_once_with_its_fields_and_explains_it_and_the_apps_lines_under_its_own_name()
    {
        await using var machine = await Machine.StartServingAsync();

        var entries = (await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--output", "json", "--no-pager")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!).ToArray();
        string? Of(JsonNode entry, string field) => entry[field]?.ToString();

        var serves = Assert.Single(entries, entry => Of(entry, "RAGAGENT_EVENT") == "container-serves");
        Assert.Equal(("ragagent", "6"), (Of(serves, "SYSLOG_IDENTIFIER"), Of(serves, "PRIORITY")));
        Assert.Contains($"image {Of(serves, "RAGAGENT_DIGEST")}, healthy after", Of(serves, "MESSAGE")!, StringComparison.Ordinal);
        Assert.Equal(Of(serves, "RAGAGENT_CONTAINER"), (await machine.RunCheckedAsync("docker", "ps", "--quiet"))[..12]);

        // Nothing was pushed yet when it booted.
        var problem = Assert.Single(entries, entry => Of(entry, "RAGAGENT_PROBLEM") == "registry-repository-missing");
        Assert.Equal(("4", "went-wrong"), (Of(problem, "PRIORITY"), Of(problem, "RAGAGENT_EVENT")));

        var app = entries.Where(entry => Of(entry, "SYSLOG_IDENTIFIER") == "ragstream").ToArray();
        Assert.NotEmpty(app);
        Assert.All(app, entry => Assert.Equal("ragstream", Of(entry, "CONTAINER_NAME")));
        Assert.Empty(entries.Where(entry => Of(entry, "SYSLOG_IDENTIFIER") == "ragagent" && Of(entry, "RAGAGENT_EVENT") is null).Select(entry => Of(entry, "MESSAGE")));

        var explained = await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--catalog", "--no-pager");
        Assert.Contains(" Defined-By: RagAgent\n", explained, StringComparison.Ordinal);
        Assert.Contains(" Subject: The app serves\n", explained, StringComparison.Ordinal);

        var ofApp = await machine.RunCheckedAsync("ragagent", "logs", "--app");
        Assert.All(ofApp.Split('\n').Where(line => !line.StartsWith("-- ", StringComparison.Ordinal)), line => Assert.Contains(" ragstream[", line, StringComparison.Ordinal));
        Assert.DoesNotContain(" ragstream[", await machine.RunCheckedAsync("ragagent", "logs", "--agent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_status_tells_how_the_boot_went_beside_the_one_before_and_the_doctor_finds_nothing()
    {
        await using var machine = await Machine.StartServingAsync();

        string[] steps = ["agent", "credentials", "secret", "token", "digest", "pull", "start", "healthy"];
        var status = JsonNode.Parse(await machine.RunCheckedAsync("ragagent", "status", "--json"))!;
        Assert.Equal(steps.Order(), status["boot"]!["this"]!["steps"]!.AsArray().Select(step => step!["name"]!.ToString()).Order());
        var said = await machine.RunCheckedAsync("ragagent", "status");
        Assert.All(steps, step => Assert.Contains($"          {step} ", said, StringComparison.Ordinal));

        var doctor = await machine.RunAsync("ragagent", "doctor");
        Assert.True(doctor.ExitCode == 0, doctor.Output);
        Assert.All(new[] { "config", "service", "app", "engine", "port", "instance", "endpoints", "credentials", "secrets", "registry", "disk" },
            check => Assert.Contains($"ok      {check} ", doctor.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_doctor_names_what_is_missing_and_what_mends_it()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.LocalAwsAsync("fault", "set", "ssm:GetParameter", "error", "--type", "AccessDeniedException");
        await machine.RunCheckedAsync("systemctl", "disable", "--now", "ragagent.service", "ragagent.socket");

        var doctor = await machine.RunAsync("ragagent", "doctor");

        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("FAILED  service     ragagent.service does not start at boot.\n                    systemctl enable ragagent.service", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("FAILED  secrets     AWS denies reading the parameter /ragstream/OPENAI_API_KEY", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("ssm:GetParameter", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("ok      registry ", doctor.Output, StringComparison.Ordinal);
    }
}
