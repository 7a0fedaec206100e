using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>What is no JSON gets one sentence, at the place where the operator must look, with nothing quoted from the file.</summary>
public class ConfigSyntaxErrorTests
{
    [Theory]
    [InlineData("{\n \"image\": \"app\"\n \"aws\": {} }", "3:2: a comma is missing before this")]
    [InlineData("{ \"secrets\": { \"A\": \"/a\" \"B\": \"/b\" } }", "1:26: a comma is missing before this")]
    [InlineData("{ 'image': \"app\" }", "1:3: single quotes: JSON wants double quotes (\")")]
    [InlineData("{ \"image\": 'app' }", "1:12: single quotes: JSON wants double quotes (\")")]
    [InlineData("{ “image”: \"app\" }", "1:3: typographic quotes: JSON wants plain double quotes (\")")]
    [InlineData("{ \"image\": „app“ }", "1:12: typographic quotes: JSON wants plain double quotes (\")")]
    [InlineData("{ \"image\": \"app\",\n \"aws\": {\n", "3:1: the file ends too early: the '{' of line 2 is never closed; add '}'")]
    [InlineData("{ \"container\": { \"volumes\": [", "1:30: the file ends too early: the '[' of line 1 is never closed; add ']'")]
    [InlineData("{ \"image\": ", "1:12: the file ends too early: the '{' of line 1 is never closed; add '}'")]
    [InlineData("{ \"image\"", "1:10: the file ends too early: the '{' of line 1 is never closed; add '}'")]
    [InlineData("{ \"container\": { \"volumes\": [ {} } } }", "1:34: '}' can't close the '[' of line 1; write ']', or add the one that is missing before it")]
    [InlineData("{ \"image\": \"app\" ]", "1:18: ']' can't close the '{' of line 1; write '}', or add the one that is missing before it")]
    [InlineData("{ ]", "1:3: ']' can't close the '{' of line 1; write '}', or add the one that is missing before it")]
    [InlineData("{ \"a\": [ } }", "1:10: '}' can't close the '[' of line 1; write ']', or add the one that is missing before it")]
    [InlineData("{ image: \"app\" }", "1:3: a key must stand here, in double quotes")]
    [InlineData("{ \"image\" \"app\" }", "1:11: a ':' is missing between the key and its value")]
    [InlineData("{ \"image\" = \"app\" }", "1:11: a key and its value are joined by ':', not by '='")]
    [InlineData("{ \"image\": }", "1:12: the value is missing here, after the key")]
    [InlineData("{ \"image\": , \"aws\": {} }", "1:12: the value is missing here, after the key")]
    [InlineData("{ \"image\": \"app\",, \"aws\": {} }", "1:18: one comma too many")]
    [InlineData("{ , }", "1:3: one comma too many")]
    [InlineData("{ \"a\": [ , ] }", "1:10: one comma too many")]
    [InlineData("{ \"image\": app }", "1:12: a text must stand in double quotes, like \"20s\"")]
    [InlineData("{ \"stopTimeout\": 20s }", "1:18: a text must stand in double quotes, like \"20s\"")]
    [InlineData("{ \"path\": /health }", "1:11: a text must stand in double quotes, like \"20s\"")]
    [InlineData("{ \"readOnlyRoot\": True }", "1:19: true, false and null are written in lower case")]
    [InlineData("{ \"readOnlyRoot\": yes }", "1:19: write true or false, without quotes")]
    [InlineData("{ \"memory\": None }", "1:13: for nothing, write null")]
    [InlineData("{ \"port\": 08501 }", "1:11: a number may not begin with 0; a text must stand in double quotes")]
    [InlineData("{ \"port\": +1 }", "1:11: a number has no plus sign before it")]
    [InlineData("{ \"cpus\": .5 }", "1:11: a number needs a digit before the point, like 0.5")]
    [InlineData("{ \"version\": 1.2.3 }", "1:14: this is no number; a text must stand in double quotes")]
    [InlineData("{ \"image\": \"app,\n \"aws\": {} }", "1:12: the text that begins here has no closing double quote on its line")]
    [InlineData("{ \"image\": \"app", "1:12: the text that begins here has no closing double quote")]
    [InlineData("{ \"image\": \"a\tb\" }", "1:14: a tab or another control character inside a text; write it as \\t or \\u0000")]
    [InlineData("{ \"host\": \"C:\\data\" }", "1:14: a backslash in a text must be written twice (\\\\)")]
    [InlineData("{ \"a\\x\": 1 }", "1:5: a backslash in a text must be written twice (\\\\)")]
    [InlineData("# comment\n{}", "1:1: a comment begins with // or stands between /* and */, not after '#'")]
    [InlineData("{ /* comment\n \"image\": \"app\" }", "1:3: this comment is never closed; add */")]
    [InlineData("{ \"image\": \"app\" } }", "1:20: the configuration ended before this; remove what is left over, or a bracket that closes too early")]
    [InlineData("{ \"image\": \"app\" }, \"aws\": {}", "1:19: the configuration ended before this; remove what is left over, or a bracket that closes too early")]
    [InlineData("{ \"a\": 1 : 2 }", "1:10: a ':' has no place here; a key stands before it in double quotes, and one value after it")]
    [InlineData("image: app", "1:1: a text must stand in double quotes, like \"20s\"")]
    [InlineData("{ \"image\": \"app\" // \u2028 \n }", "1:18: this comment holds an invisible line separator (U+2028 or U+2029); remove it")]
    public void Each_usual_slip_is_named_where_it_is(string text, string expected) =>
        Assert.Equal([$"{FileName}:{expected}"], ErrorLines(text));

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Equal("nested deeper than 64 levels", AssertSingleError(string.Concat(Enumerable.Repeat("{\"a\":", 65))));

    [Fact]
    public void Half_a_character_pair_does_not_hide_the_other_mistakes() =>
        Assert.Equal(
            [
                @"this text holds half of a character pair (\ud800 to \udfff alone); write the character itself",
                "container.port: must be a whole number from 1 to 65535, but is 0",
            ],
            AssertRejected("""{ "image": "app", "environment": { "A": "\ud800" }, "container": { "port": 0 } }"""));

    [Theory]
    [InlineData("[]", "must be one object { … }, but is a list")]
    [InlineData("\"app\"", "must be one object { … }, but is a text")]
    [InlineData("null", "must be one object { … }, but is null")]
    public void A_file_that_is_no_object_is_refused_with_an_example(string text, string expected) =>
        Assert.Equal(
            $$"""{{expected}}; the smallest useful file is: { "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } } and a sample with every key is /usr/share/ragagent/ragagent.json""",
            AssertSingleError(text));
}
