using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Logging;
using RagAgent.Reporting;
using RagAgent.Secrets;
using RagAgent.Supervision.Runtime;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>What the journal receives on its native socket.</summary>
public sealed class JournalSocketTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ragj{Guid.NewGuid():N}");
    private readonly Socket _journald = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly AgentLogging _output;

    public JournalSocketTests()
    {
        _journald.Bind(new UnixDomainSocketEndPoint(_path));
        _journald.ReceiveTimeout = 10_000;
        _output = new AgentLogging(OutputKind.Journal, _out, new JournalSocket(_path));
    }

    public void Dispose()
    {
        _output.Dispose();
        _journald.Dispose();
        _out.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void An_entry_of_the_agent_has_its_event_and_all_its_values()
    {
        _output.CreateLogger<Supervisor>().ContainerServes("0123456789ab", "release-1", "sha256:new", "3s");

        Assert.Equal(
            new()
            {
                ["MESSAGE"] = "Container 0123456789ab serves: release release-1, image sha256:new, healthy after 3s.",
                ["PRIORITY"] = "6",
                ["SYSLOG_IDENTIFIER"] = "ragagent",
                ["MESSAGE_ID"] = MessageId.For("container-serves"),
                ["RAGAGENT_EVENT"] = "container-serves",
                ["RAGAGENT_CONTAINER"] = "0123456789ab",
                ["RAGAGENT_RELEASE"] = "release-1",
                ["RAGAGENT_DIGEST"] = "sha256:new",
                ["RAGAGENT_TOOK"] = "3s",
            }, ReceiveFields());
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public void An_entry_with_a_problem_has_its_code_and_its_MESSAGE_ID()
    {
        _output.CreateLogger<Supervisor>().CrashLooping(
            new Problem(ProblemCatalog.AppExited, "The app exited with code 3.", "Its output is in the journal."), 5, "");

        var fields = ReceiveFields();
        Assert.Equal(
            "The app exited with code 3. Its output is in the journal. That was crash 5 in a row: the app is crash-looping.",
            fields["MESSAGE"]);
        Assert.Equal(("3", "crash-looping", "app-exited", MessageId.For("app-exited"), "5"),
            (fields["PRIORITY"], fields["RAGAGENT_EVENT"], fields["RAGAGENT_PROBLEM"], fields["MESSAGE_ID"], fields["RAGAGENT_CRASHES"]));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_hanging_journal_blocks_the_agent_once_and_lost_lines_are_counted()
    {
        const int lines = 5_000;   // far more than the kernel buffers
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await Task.Run(() =>
        {
            for (var line = 0; line < lines; line++)
            {
                _output.CreateLogger<Supervisor>().SecretsRead("KEY (version 2)");
            }
        }, TestContext.Current.CancellationToken);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));   // two seconds, and the work of the lines

        var received = 0;
        while (_journald.Available > 0)
        {
            ReceiveFields();
            received++;
        }
        _output.CreateLogger<Supervisor>().SecretsRead("KEY (version 3)");

        Assert.Contains("KEY (version 3)", ReceiveFields()["MESSAGE"], StringComparison.Ordinal);
        var lost = ReceiveFields();
        Assert.Equal(("lines-lost", $"{lines - received}"), (lost["RAGAGENT_EVENT"], lost["RAGAGENT_COUNT"]));
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public void Entries_of_libraries_have_no_event()
    {
        _output.CreateLogger<HttpClient>().LogError(new EventId(7, "Broke"), "It broke.");

        Assert.DoesNotContain(ReceiveFields().Keys, name => name is "RAGAGENT_EVENT" or "MESSAGE_ID");
    }

    [Fact]
    public void An_exception_is_complete_in_its_own_field()
    {
        _output.CreateLogger<Supervisor>().LogError(new InvalidOperationException("It\nbroke."), "Failed.");

        var fields = ReceiveFields();
        Assert.Equal("Failed. [InvalidOperationException: It broke.]", fields["MESSAGE"]);
        Assert.Equal("System.InvalidOperationException: It\nbroke.", fields["RAGAGENT_EXCEPTION"]);
    }

    [Fact]
    public void Secrets_are_scrubbed_from_every_field()
    {
        _output.Vault.Store("one", [new LoadedSecret("OPENAI_API_KEY", new SecretValue("sk-secret-0123456789"), SecretDelivery.Memory)]);
        _output.CreateLogger<Supervisor>().LogError(
            new InvalidOperationException("sk-secret-0123456789"), "It says {What}.", "sk-secret-0123456789");

        Assert.DoesNotContain(ReceiveFields().Values, value => value.Contains("sk-secret", StringComparison.Ordinal));
    }

    [Fact]
    public void An_entry_of_the_app_has_the_fields_of_Dockers_journald_driver()
    {
        _output.Sink.WriteAppLines(
            new ContainerIdentity("0123456789abcdef", "ragstream"),
            [(new DateTimeOffset(2026, 11, 23, 12, 34, 56, TimeSpan.FromHours(2)), "You can now view your app.")]);

        Assert.Equal(
            new()
            {
                ["MESSAGE"] = "You can now view your app.",
                ["PRIORITY"] = "6",
                ["SYSLOG_IDENTIFIER"] = "ragstream",
                ["SYSLOG_TIMESTAMP"] = "2026-11-23T10:34:56.0000000Z",
                ["CONTAINER_NAME"] = "ragstream",
                ["CONTAINER_ID"] = "0123456789ab",
                ["CONTAINER_ID_FULL"] = "0123456789abcdef",
            }, ReceiveFields());
    }

    [Fact]
    public void Long_values_are_cut_to_fit_into_a_datagram()
    {
        _output.CreateLogger<Supervisor>().LogError(
            new InvalidOperationException(new string('é', 1_000_000)),
            "{A}{B}",
            new string('€', 1_000_000),
            new string('€', 1_000_000));

        Assert.Equal(JournalEntry.MaxValueLength, ReceiveFields()["MESSAGE"].Length);
    }

    [Fact]
    public void Without_a_journal_lines_go_to_standard_output()
    {
        File.Delete(_path);
        _output.CreateLogger<Supervisor>().LogError("It broke.");
        _output.Sink.WriteAppLines(new ContainerIdentity("0123456789abcdef", "ragstream"), [(default, "Hello.")]);

        Assert.Equal("<3>It broke.\n<6>app| Hello.\n", _out.ToString());
    }

    [Theory]
    [InlineData("8:12345", "socket:[12345]", true)]
    [InlineData("8:12345", "socket:[12346]", false)]
    [InlineData("8:12345", "/dev/pts/0", false)]
    [InlineData("8:12345", "pipe:[12345]", false)]
    [InlineData("8:12345", null, false)]
    [InlineData("", "socket:[]", false)]
    [InlineData(":", "socket:[]", false)]
    [InlineData(null, "socket:[12345]", false)]
    public void The_journal_is_detected_only_if_standard_output_is_connected_to_it(string? stream, string? standardOutput, bool expected) =>
        Assert.Equal(expected, JournalSocket.IsJournalStream(stream, standardOutput));

    [Theory]
    [InlineData("ContainerServes", "container-serves", "CONTAINER_SERVES")]
    [InlineData("AppLogIO", "app-log-io", "APP_LOG_IO")]
    [InlineData("IOFailed", "io-failed", "IO_FAILED")]
    [InlineData("Digest", "digest", "DIGEST")]
    public void Names_are_converted_to_kebab_case_and_field_names(string name, string kebab, string field) =>
        Assert.Equal((kebab, field), (MessageId.ToKebabCase(name), MessageId.ToFieldName(name)));

    private Dictionary<string, string> ReceiveFields()
    {
        var datagram = new byte[1 << 20];
        var rest = datagram.AsSpan(0, _journald.Receive(datagram));
        var fields = new Dictionary<string, string>();
        while (!rest.IsEmpty)
        {
            var line = rest[..rest.IndexOf((byte)'\n')];
            rest = rest[(line.Length + 1)..];
            if (line.IndexOf((byte)'=') is >= 0 and var equals)
            {
                fields.Add(Encoding.UTF8.GetString(line[..equals]), Encoding.UTF8.GetString(line[(equals + 1)..]));
                continue;
            }
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            fields.Add(Encoding.UTF8.GetString(line), Encoding.UTF8.GetString(rest.Slice(sizeof(ulong), length)));
            Assert.Equal((byte)'\n', rest[sizeof(ulong) + length]);
            rest = rest[(sizeof(ulong) + length + 1)..];
        }
        return fields;
    }
}
