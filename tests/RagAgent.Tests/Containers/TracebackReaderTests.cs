using System.Text;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>Uncaught exceptions in the log of a Streamlit app.</summary>
public sealed class TracebackReaderTests
{
    private const string Header = "2026-11-30 13:10:34.566 Uncaught app execution";

    private static readonly string[] Traceback =
    [
        "Traceback (most recent call last):",
        "  File \"/app/app.py\", line 3, in <module>",
        "    st.write(os.environ[\"NO_SUCH_KEY\"])",
        "             ~~~~~~~~~~^^^^^^^^^^^^^^^",
        "KeyError: 'NO_SUCH_KEY'",
    ];

    private readonly TracebackReader _reader = new();
    private readonly SecretVault _vault = new();

    [Fact]
    public void The_last_line_of_a_traceback_names_the_exception()
    {
        Read("  You can now view your Streamlit app in your browser.", Header);
        Read(Traceback);
        Read("  Stopping...");

        Assert.Equal(new UncaughtExceptions(1, 0, 1, "KeyError: 'NO_SUCH_KEY'"), _reader.Found);
    }

    [Fact]
    public void Versions_before_1_50_write_another_header()
    {
        Read("2024-01-01 13:10:34.566 Uncaught app exception");
        Read(Traceback);

        Assert.Equal((1, "KeyError: 'NO_SUCH_KEY'"), (_reader.Found.Count, _reader.Found.LastLine));
    }

    [Fact]
    public void Of_chained_exceptions_the_last_one_counts()
    {
        Read(Header);
        Read(Traceback);
        Read("", "During handling of the above exception, another exception occurred:", "", "Traceback (most recent call last):",
            "  File \"/app/app.py\", line 9, in <module>", "ValueError: no key");

        Assert.Equal((1, "ValueError: no key"), (_reader.Found.Count, _reader.Found.LastLine));
    }

    [Fact]
    public void What_the_app_prints_afterwards_is_not_part_of_the_traceback()
    {
        Read(Header);
        Read(Traceback);
        Read("hello", "Error: not one of ours");

        Assert.Equal("KeyError: 'NO_SUCH_KEY'", _reader.Found.LastLine);
    }

    [Fact]
    public void A_traceback_without_the_header_is_the_apps_own_business()
    {
        Read(Traceback);

        Assert.Equal(UncaughtExceptions.None, _reader.Found);
    }

    [Fact]
    public void An_exception_in_the_scripts_thread_is_counted_apart()
    {
        Read("Exception in thread ScriptRunner.scriptThread:");
        Read(Traceback);

        Assert.Equal(new UncaughtExceptions(1, 1, 1, "KeyError: 'NO_SUCH_KEY'"), _reader.Found);
    }

    [Fact]
    public void A_second_exception_is_counted_even_while_the_first_traceback_is_incomplete()
    {
        Read(Header, Traceback[0], Header);
        Read(Traceback);

        Assert.Equal((2, "KeyError: 'NO_SUCH_KEY'"), (_reader.Found.Count, _reader.Found.LastLine));
    }

    [Fact]
    public void Secrets_and_control_characters_do_not_get_into_the_line()
    {
        _vault.Store("fingerprint", [new LoadedSecret("KEY", new SecretValue("sk-1234567890"), SecretDelivery.Memory)]);

        Read(Header, Traceback[0], "ValueError: sk-1234567890 \u001b[31mred");

        Assert.DoesNotContain("sk-1234567890", _reader.Found.LastLine, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', _reader.Found.LastLine!);
    }

    [Fact]
    public void Exceptions_of_the_agents_own_session_are_not_the_visitors()
    {
        Read(Header);
        Read(Traceback);
        _reader.ExcludeFromVisitors();
        Read(Header);

        Assert.Equal((2, 1), (_reader.Found.Count, _reader.Found.OfVisitors));
    }

    private void Read(params string[] lines)
    {
        foreach (var line in lines)
        {
            _reader.Read(new RawLogLine(0, Encoding.UTF8.GetBytes(line), IsComplete: true), _vault);
        }
    }
}
