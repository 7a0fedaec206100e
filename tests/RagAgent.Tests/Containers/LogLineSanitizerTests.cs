using System.Text;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

public class LogLineSanitizerTests
{
    private const string Secret = "sk-0123456789";
    private readonly SecretVault _vault = new();

    public LogLineSanitizerTests() => _vault.Store("one", [new LoadedSecret("KEY", new SecretValue(Secret), SecretDelivery.Memory)]);

    [Theory]
    [InlineData("plain äöü 日本 🙂", "plain äöü 日本 🙂")]
    [InlineData("a\tb", "a\tb")]
    [InlineData("windows\r", "windows")]
    [InlineData("10 %\r20 %", "10 %␍20 %")]
    [InlineData("\u001b[31mred\u001b[0m", "␛[31mred␛[0m")]
    [InlineData("bell\a nul\0 del\u007f csi\u009b nel\u0085", "bell␇ nul␀ del␡ csi\ufffd nel\ufffd")]
    [InlineData("two\u2028lines\u2029of\u202eturned\u2066text", "two\ufffdlines\ufffdof\ufffdturned\ufffdtext")]
    public void Control_characters_are_shown_instead_of_sent_to_the_terminal(string text, string shown) =>
        Assert.Equal(shown, Sanitize(text));

    [Fact]
    public void Invalid_UTF_8_is_replaced() =>
        Assert.Equal("a\ufffd\ufffdb", LogLineSanitizer.Sanitize(new RawLogLine(0, new byte[] { (byte)'a', 0xff, 0xc3, (byte)'b' }, true), _vault));

    [Fact]
    public void A_long_line_is_cut_with_a_mark_but_never_inside_a_secret_or_a_character()
    {
        for (var before = LogLineSanitizer.MaxLength - 30; before < LogLineSanitizer.MaxLength + 5; before++)
        {
            var shown = Sanitize(new string('x', before) + Secret + new string('y', 500));
            Assert.Equal(LogLineSanitizer.MaxLength + " …(cut)".Length, shown.Length);
            Assert.DoesNotContain("s", shown, StringComparison.Ordinal);

            var smile = Sanitize(new string('x', before) + "🙂" + new string('y', 500));
            Assert.DoesNotContain('\ufffd', Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(smile)));
        }
    }

    [Fact]
    public void A_line_without_its_end_does_not_show_the_start_of_a_secret()
    {
        for (var length = 1; length <= Secret.Length; length++)
        {
            Assert.Equal("the key is *** …(cut)", Sanitize("the key is " + Secret[..length], isComplete: false));
        }
        Assert.Equal($"the key is {Secret[..5]}", Sanitize("the key is " + Secret[..5]));
        Assert.Equal("nothing of it …(cut)", Sanitize("nothing of it", isComplete: false));
    }

    private string Sanitize(string text, bool isComplete = true) =>
        LogLineSanitizer.Sanitize(new RawLogLine(0, Encoding.UTF8.GetBytes(text), isComplete), _vault);
}
