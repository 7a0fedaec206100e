using System.Text.Json.Nodes;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What an operator reads: the journal with its fields and explanations, status and doctor.</summary>
public sealed class MachineJournalTests
{
    [Fact]
    public async Task The_journal_has_every_line_once_with_its_fields_and_catalog_text()
    {
        await using var machine = await Machine.StartServingAsync();

        var entries = (await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--output", "json", "--no-pager")).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!).ToArray();
        string? Field(JsonNode entry, string field) => entry[field]?.ToString();

        var serves = Assert.Single(entries, entry => Field(entry, "RAGAGENT_EVENT") == "container-serves");
        Assert.Equal(("ragagent", "6"), (Field(serves, "SYSLOG_IDENTIFIER"), Field(serves, "PRIORITY")));
        Assert.Contains($"image {Field(serves, "RAGAGENT_DIGEST")}, healthy after", Field(serves, "MESSAGE")!, StringComparison.Ordinal);
        Assert.Equal(Field(serves, "RAGAGENT_CONTAINER"), (await machine.RunCheckedAsync("docker", "ps", "--quiet"))[..12]);

        // When the machine booted, nothing had been pushed yet.
        var problem = Assert.Single(entries, entry => Field(entry, "RAGAGENT_PROBLEM") == "registry-repository-missing");
        Assert.Equal(("4", "went-wrong"), (Field(problem, "PRIORITY"), Field(problem, "RAGAGENT_EVENT")));

        var app = entries.Where(entry => Field(entry, "SYSLOG_IDENTIFIER") == "ragstream").ToArray();
        Assert.NotEmpty(app);
        Assert.All(app, entry => Assert.Equal("ragstream", Field(entry, "CONTAINER_NAME")));
        var agentEntries = entries.Where(entry => Field(entry, "SYSLOG_IDENTIFIER") == "ragagent");
        Assert.Empty(agentEntries.Where(entry => Field(entry, "RAGAGENT_EVENT") is null).Select(entry => Field(entry, "MESSAGE")));

        var explained = await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--catalog", "--no-pager");
        Assert.Contains(" Defined-By: RagAgent\n", explained, StringComparison.Ordinal);
        Assert.Contains(" Subject: The app serves\n", explained, StringComparison.Ordinal);

        var appLines = await machine.RunCheckedAsync("ragagent", "logs", "--app");
        Assert.All(
            appLines.Split('\n').Where(line => !line.StartsWith("-- ", StringComparison.Ordinal)),
            line => Assert.Contains(" ragstream[", line, StringComparison.Ordinal));
        Assert.DoesNotContain(" ragstream[", await machine.RunCheckedAsync("ragagent", "logs", "--agent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_shows_the_boot_timeline_and_the_doctor_finds_nothing()
    {
        await using var machine = await Machine.StartServingAsync();

        string[] steps = ["agent", "credentials", "secret", "token", "digest", "pull", "start", "healthy"];
        var status = JsonNode.Parse(await machine.RunCheckedAsync("ragagent", "status", "--json"))!;
        Assert.Equal(steps.Order(), status["boot"]!["this"]!["steps"]!.AsArray().Select(step => step!["name"]!.ToString()).Order());
        var text = await machine.RunCheckedAsync("ragagent", "status");
        Assert.All(steps, step => Assert.Contains($"          {step} ", text, StringComparison.Ordinal));

        var doctor = await machine.RunAsync("ragagent", "doctor");
        Assert.True(doctor.ExitCode == 0, doctor.Output);
        Assert.All(
            (string[])["config", "service", "app", "engine", "port", "instance", "endpoints", "credentials", "secrets", "registry", "disk"],
            check => Assert.Contains($"ok      {check} ", doctor.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_doctor_names_each_fault_on_a_machine_and_its_remedy()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.LocalAwsAsync("fault", "set", "ssm:GetParameter", "error", "--type", "AccessDeniedException");
        await machine.RunCheckedAsync("systemctl", "disable", "--now", "ragagent.service", "ragagent.socket");

        var doctor = await machine.RunAsync("ragagent", "doctor");

        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains(
            "FAILED  service     ragagent.service does not start at boot.\n                    systemctl enable ragagent.service",
            doctor.Output,
            StringComparison.Ordinal);
        Assert.Contains("FAILED  secrets     AWS denied the request to read the parameter /ragstream/OPENAI_API_KEY", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("ssm:GetParameter", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("ok      registry ", doctor.Output, StringComparison.Ordinal);
    }
}
