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

/// <summary>What the journal is told, as its own socket hears it.</summary>
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
    public void A_line_of_the_agents_is_told_with_its_event_and_each_of_its_values()
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
    public void A_problem_is_told_by_its_code_and_explained_as_that()
    {
        _output.CreateLogger<Supervisor>().CrashLooping(new Problem(ProblemCatalog.AppExited, "The app exited with code 3.", "Its output is in the journal."), 5, "");

        var heard = ReceiveFields();
        Assert.Equal("The app exited with code 3. Its output is in the journal. That was crash 5 in a row: the app is crash-looping.", heard["MESSAGE"]);
        Assert.Equal(("3", "crash-looping", "app-exited", MessageId.For("app-exited"), "5"),
            (heard["PRIORITY"], heard["RAGAGENT_EVENT"], heard["RAGAGENT_PROBLEM"], heard["MESSAGE_ID"], heard["RAGAGENT_CRASHES"]));
    }

    [Fact(Timeout = 30_000)]
    public async Task A_journal_that_hangs_holds_the_agent_up_once_and_what_was_lost_is_counted()
    {
        const int lines = 5_000;   // far more than the kernel keeps for a reader
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await Task.Run(() =>
        {
            for (var line = 0; line < lines; line++)
            {
                _output.CreateLogger<Supervisor>().SecretsRead("KEY (version 2)");
            }
        }, TestContext.Current.CancellationToken);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));   // two, and the work of the lines

        var taken = 0;
        while (_journald.Available > 0)
        {
            ReceiveFields();
            taken++;
        }
        _output.CreateLogger<Supervisor>().SecretsRead("KEY (version 3)");

        Assert.Contains("KEY (version 3)", ReceiveFields()["MESSAGE"], StringComparison.Ordinal);
        var told = ReceiveFields();
        Assert.Equal(("lines-lost", $"{lines - taken}"), (told["RAGAGENT_EVENT"], told["RAGAGENT_COUNT"]));
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public void Lines_of_libraries_have_no_event_of_ours()
    {
        _output.CreateLogger<HttpClient>().LogError(new EventId(7, "Broke"), "It broke.");

        Assert.DoesNotContain(ReceiveFields().Keys, name => name is "RAGAGENT_EVENT" or "MESSAGE_ID");
    }

    [Fact]
    public void An_exception_is_told_whole_in_a_field_of_its_own()
    {
        _output.CreateLogger<Supervisor>().LogError(new InvalidOperationException("It\nbroke."), "Failed.");

        var heard = ReceiveFields();
        Assert.Equal("Failed. [InvalidOperationException: It broke.]", heard["MESSAGE"]);
        Assert.Equal("System.InvalidOperationException: It\nbroke.", heard["RAGAGENT_EXCEPTION"]);
    }

    [Fact]
    public void Secrets_are_taken_out_of_every_field()
    {
        _output.Vault.Store("one", [new LoadedSecret("OPENAI_API_KEY", new SecretValue("sk-secret-0123456789"), SecretDelivery.Memory)]);
        _output.CreateLogger<Supervisor>().LogError(new InvalidOperationException("sk-secret-0123456789"), "It says {What}.", "sk-secret-0123456789");

        Assert.DoesNotContain(ReceiveFields().Values, value => value.Contains("sk-secret", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_of_the_apps_has_the_apps_name_and_the_fields_that_docker_would_give_it()
    {
        _output.Sink.WriteAppLines(new ContainerIdentity("0123456789abcdef", "ragstream"), [(new DateTimeOffset(2026, 11, 23, 12, 34, 56, TimeSpan.FromHours(2)), "You can now view your app.")]);

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
    public void What_is_too_long_is_cut_and_fits()
    {
        _output.CreateLogger<Supervisor>().LogError(new InvalidOperationException(new string('é', 1_000_000)), "{A}{B}", new string('€', 1_000_000), new string('€', 1_000_000));

        Assert.Equal(JournalEntry.MaxValueLength, ReceiveFields()["MESSAGE"].Length);
    }

    [Fact]
    public void When_the_journal_is_away_the_line_goes_to_standard_output()
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
    public void It_is_spoken_to_only_when_standard_output_leads_there(string? stream, string? standardOutput, bool leads) =>
        Assert.Equal(leads, JournalSocket.IsJournalStream(stream, standardOutput));

    [Theory]
    [InlineData("ContainerServes", "container-serves", "CONTAINER_SERVES")]
    [InlineData("AppLogIO", "app-log-io", "APP_LOG_IO")]
    [InlineData("IOFailed", "io-failed", "IO_FAILED")]
    [InlineData("Digest", "digest", "DIGEST")]
    public void Names_are_told_in_the_journals_way(string name, string kebab, string field) =>
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
