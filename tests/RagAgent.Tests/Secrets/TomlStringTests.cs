using System.Globalization;
using System.Text;
using CsCheck;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Secrets;

public class TomlStringTests
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["'\"\\ \t\n\r#=[]{},uUnx0a"], 0, 30],
        Gen.OneOf("\"", "\"\"\"", "'''", "\\", "\\u0041", "\\U", "\n", "\u0001", "\u007f", "\u0085", "\u2028", "\ufeff", "é", "漢", "😀")
            .Array[0, 8].Select(string.Concat));

    [Theory]
    [InlineData("sk-proj-AbC_123", "\"sk-proj-AbC_123\"")]
    [InlineData("", "\"\"")]
    [InlineData("it's é 漢 😀", "\"it's é 漢 😀\"")]
    [InlineData("two\r\n\tlines", "\"two\\u000D\\u000A\\u0009lines\"")]
    [InlineData("bell\u0007, delete\u007f", "\"bell\\u0007, delete\\u007F\"")]
    [InlineData("say \"hi\"", "\"say \\u0022hi\\u0022\"")]
    [InlineData("C:\\dir", "\"C:\\\\dir\"")]
    // Python's toml 0.10.2 misreads the plain forms of these two.
    [InlineData("C:\\user", "\"C:\\\\\\u0075ser\"")]
    [InlineData("\"\"quoted\"\"", "\"\"\"\\u0022\\u0022quoted\\u0022\\u0022\"\"\"")]
    public void A_text_becomes_a_TOML_basic_string(string text, string expected) => Assert.Equal(expected, TomlString.Quote(text));

    [Fact]
    public void Every_text_is_read_back_unchanged_from_a_single_line() =>
        Texts.Sample(text =>
        {
            var quoted = TomlString.Quote(text);

            Assert.DoesNotContain(quoted, character => character is < ' ' or '\u007f');
            Assert.Equal(text, Read(quoted));
        });

    /// <summary>A basic string by the rules of TOML 1.0, as far as <see cref="TomlString"/> uses them.</summary>
    private static string Read(string quoted)
    {
        var mark = quoted.StartsWith("\"\"\"", StringComparison.Ordinal) ? 3 : 1;
        var inside = quoted[mark..^mark];
        var text = new StringBuilder();
        for (var at = 0; at < inside.Length; at++)
        {
            Assert.NotEqual('"', inside[at]);
            if (inside[at] != '\\')
            {
                text.Append(inside[at]);
                continue;
            }

            at++;
            if (inside[at] == '\\')
            {
                text.Append('\\');
                continue;
            }

            Assert.Equal('u', inside[at]);
            text.Append((char)ushort.Parse(inside.AsSpan(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            at += 4;
        }

        return text.ToString();
    }
}
