using RagAgent.Health.Sessions;
using RagAgent.Streamlit;
using Xunit;

namespace RagAgent.Tests.Health.Sessions;

/// <summary>What a session says about the app.</summary>
public sealed class SessionTranscriptTests
{
    private static readonly UncaughtSince Quiet = new(0, IsInScriptThread: false, null);
    private static readonly UncaughtSince OneUncaught = new(1, IsInScriptThread: false, "KeyError: 'x'");
    private static readonly ScriptException KeyError = new("KeyError", "'x'");

    private static readonly StreamlitMessage Began = new StreamlitMessage.RunBegan();
    private static readonly StreamlitMessage Element = new StreamlitMessage.Element();
    private static readonly StreamlitMessage Finished = new StreamlitMessage.RunFinished(0);
    private static readonly StreamlitMessage Exception = new StreamlitMessage.ExceptionShown(KeyError);

    [Fact]
    public void A_run_that_ends_without_an_exception_works() =>
        Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.Finished, Began, Element, Finished));

    [Fact]
    public void An_empty_page_works() => Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.Finished, Began, Finished));

    [Fact]
    public void A_run_that_goes_on_works_if_it_has_shown_something() =>
        Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.TimeLimit, Began, Element));

    [Fact]
    public void A_run_that_goes_on_without_showing_anything_is_silent() =>
        Assert.IsType<SessionVerdict.Silent>(Judge(Quiet, SessionEnd.TimeLimit, Began));

    [Fact]
    public void A_run_that_sends_too_much_works_only_if_it_has_shown_something()
    {
        Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.LengthLimit, Began, Element));
        var broken = Assert.IsType<SessionVerdict.Broken>(Judge(Quiet, SessionEnd.LengthLimit, Began));
        Assert.Equal(("it shows nothing within the first 512 MB that it sends", true), (broken.Error, broken.IsFinal));
    }

    [Fact]
    public void An_exception_that_the_app_shows_on_purpose_is_not_in_its_log() =>
        Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.Finished, Began, Exception, Finished));

    [Fact]
    public void An_exception_that_the_log_has_too_breaks_the_page() =>
        Assert.Equal(
            new SessionVerdict.Broken("KeyError: 'x'", IsFinal: false),
            Judge(OneUncaught, SessionEnd.Finished, Began, Element, Exception, Finished));

    [Fact]
    public void An_exception_in_the_log_alone_is_another_visitors() =>
        Assert.IsType<SessionVerdict.Works>(Judge(OneUncaught, SessionEnd.Finished, Began, Element, Finished));

    [Theory]
    [InlineData("ModuleNotFoundError")]
    [InlineData("ImportError")]
    public void A_missing_module_is_final(string type) =>
        Assert.Equal(
            new SessionVerdict.Broken($"{type}: No module named 'x'", IsFinal: true) { IsOfTheImage = true },
            Judge(
                OneUncaught,
                SessionEnd.Finished,
                new StreamlitMessage.ExceptionShown(new ScriptException(type, "No module named 'x'")),
                Finished));

    [Fact]
    public void A_script_that_does_not_compile_is_final_and_says_why() =>
        Assert.Equal(
            new SessionVerdict.Broken("SyntaxError: '(' was never closed", IsFinal: true) { IsOfTheImage = true },
            Judge(
                Quiet,
                SessionEnd.Finished,
                Began,
                new StreamlitMessage.RunFinished(1),
                new StreamlitMessage.CompileError(
                    new ScriptException("SyntaxError", "File \"app.py\", line 2\n  st.write(\nSyntaxError: '(' was never closed"))));

    [Fact]
    public void A_script_that_does_not_compile_is_final_even_without_a_reason() =>
        Assert.Equal(
            new SessionVerdict.Broken("the script does not compile", IsFinal: true) { IsOfTheImage = true },
            Judge(Quiet, SessionEnd.TimeLimit, Began, new StreamlitMessage.RunFinished(1)));

    [Fact]
    public void A_run_that_ends_for_another_one_has_not_ended()
    {
        var transcript = Transcript(Began, Element, new StreamlitMessage.RunFinished(2));

        Assert.False(transcript.HasEnded);
    }

    [Fact]
    public void An_exception_in_the_scripts_thread_breaks_the_page_though_it_shows_nothing() =>
        Assert.Equal(
            new SessionVerdict.Broken("ValueError: x", IsFinal: false),
            Judge(new UncaughtSince(1, IsInScriptThread: true, "ValueError: x"), SessionEnd.Finished, Began));

    [Fact]
    public void A_session_that_the_app_closes_breaks_the_page() =>
        Assert.Equal(
            new SessionVerdict.Broken("the app closed the session", IsFinal: false), Judge(Quiet, SessionEnd.Closed, Began, Element));

    [Fact]
    public void Without_the_log_an_exception_proves_nothing() =>
        Assert.IsType<SessionVerdict.Works>(Judge(log: null, SessionEnd.Finished, Began, Exception, Finished));

    [Fact]
    public void Without_the_log_the_general_text_for_uncaught_exceptions_is_proof() =>
        Assert.Equal(
            new SessionVerdict.Broken("openai.OpenAIError", IsFinal: false),
            Judge(log: null, SessionEnd.Finished, Began, Hidden("openai.OpenAIError"), Finished));

    [Fact]
    public void The_log_names_an_exception_that_the_browser_gets_no_details_of() =>
        Assert.Equal(
            new SessionVerdict.Broken("KeyError: 'x'", IsFinal: false), Judge(OneUncaught, SessionEnd.Finished, Began, Hidden("KeyError"), Finished));

    [Fact]
    public void A_first_message_that_is_not_Streamlits_makes_the_session_unreadable() =>
        Assert.IsType<SessionVerdict.Unreadable>(Judge(Quiet, SessionEnd.TimeLimit, null, Element, Exception));

    [Fact]
    public void An_app_that_echoes_what_it_is_sent_is_unreadable() =>
        Assert.IsType<SessionVerdict.Unreadable>(Judge(Quiet, SessionEnd.TimeLimit, StreamlitMessage.Parse([0x5A, 0x00])));

    [Fact]
    public void Later_messages_that_are_not_understood_are_skipped() =>
        Assert.IsType<SessionVerdict.Works>(Judge(Quiet, SessionEnd.Finished, Began, null, Element, Finished));

    [Fact]
    public void An_app_that_says_nothing_is_unreadable() => Assert.IsType<SessionVerdict.Unreadable>(Judge(Quiet, SessionEnd.TimeLimit));

    private static StreamlitMessage.ExceptionShown Hidden(string type) =>
        new(new ScriptException(type, "This app has encountered an error. The original error message is redacted."));

    private static SessionVerdict Judge(UncaughtSince? log, SessionEnd end, params StreamlitMessage?[] messages) =>
        Transcript(messages).Judge(end, log);

    private static SessionTranscript Transcript(params StreamlitMessage?[] messages)
    {
        var transcript = new SessionTranscript();
        foreach (var message in messages)
        {
            transcript.Add(message);
        }
        return transcript;
    }
}
