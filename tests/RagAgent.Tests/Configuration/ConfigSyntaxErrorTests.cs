using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Invalid JSON gives one sentence with the position of the error, and quotes nothing from the file.</summary>
public class ConfigSyntaxErrorTests
{
    [Theory]
    [InlineData("{\n \"image\": \"app\"\n \"aws\": {} }", "3:2: a comma is missing before this")]
    [InlineData("{ \"secrets\": { \"A\": \"/a\" \"B\": \"/b\" } }", "1:26: a comma is missing before this")]
    [InlineData("{ 'image': \"app\" }", "1:3: single quotes are not valid in JSON; use double quotes (\")")]
    [InlineData("{ \"image\": 'app' }", "1:12: single quotes are not valid in JSON; use double quotes (\")")]
    [InlineData("{ “image”: \"app\" }", "1:3: typographic quotes are not valid in JSON; use plain double quotes (\")")]
    [InlineData("{ \"image\": „app“ }", "1:12: typographic quotes are not valid in JSON; use plain double quotes (\")")]
    [InlineData("{ \"image\": \"app\",\n \"aws\": {\n", "3:1: the file ends too early: the '{' on line 2 is never closed; add '}'")]
    [InlineData("{ \"container\": { \"volumes\": [", "1:30: the file ends too early: the '[' on line 1 is never closed; add ']'")]
    [InlineData("{ \"image\": ", "1:12: the file ends too early: the '{' on line 1 is never closed; add '}'")]
    [InlineData("{ \"image\"", "1:10: the file ends too early: the '{' on line 1 is never closed; add '}'")]
    [InlineData("{ \"container\": { \"volumes\": [ {} } } }", "1:34: '}' can't close the '[' on line 1; write ']', or add the missing bracket before it")]
    [InlineData("{ \"image\": \"app\" ]", "1:18: ']' can't close the '{' on line 1; write '}', or add the missing bracket before it")]
    [InlineData("{ ]", "1:3: ']' can't close the '{' on line 1; write '}', or add the missing bracket before it")]
    [InlineData("{ \"a\": [ } }", "1:10: '}' can't close the '[' on line 1; write ']', or add the missing bracket before it")]
    [InlineData("{ image: \"app\" }", "1:3: expected a key, in double quotes")]
    [InlineData("{ \"image\" \"app\" }", "1:11: a ':' is missing between the key and its value")]
    [InlineData("{ \"image\" = \"app\" }", "1:11: a key and its value are separated by ':', not '='")]
    [InlineData("{ \"image\": }", "1:12: the value after the key is missing")]
    [InlineData("{ \"image\": , \"aws\": {} }", "1:12: the value after the key is missing")]
    [InlineData("{ \"image\": \"app\",, \"aws\": {} }", "1:18: one comma too many")]
    [InlineData("{ , }", "1:3: one comma too many")]
    [InlineData("{ \"a\": [ , ] }", "1:10: one comma too many")]
    [InlineData("{ \"image\": app }", "1:12: strings must be in double quotes, like \"20s\"")]
    [InlineData("{ \"stopTimeout\": 20s }", "1:18: strings must be in double quotes, like \"20s\"")]
    [InlineData("{ \"path\": /health }", "1:11: strings must be in double quotes, like \"20s\"")]
    [InlineData("{ \"readOnlyRoot\": True }", "1:19: true, false and null are written in lower case")]
    [InlineData("{ \"readOnlyRoot\": yes }", "1:19: write true or false, without quotes")]
    [InlineData("{ \"memory\": None }", "1:13: for no value, write null")]
    [InlineData("{ \"port\": 08501 }", "1:11: a number can't begin with 0; strings must be in double quotes")]
    [InlineData("{ \"port\": +1 }", "1:11: a number can't begin with a plus sign")]
    [InlineData("{ \"cpus\": .5 }", "1:11: a number needs a digit before the decimal point, like 0.5")]
    [InlineData("{ \"version\": 1.2.3 }", "1:14: this is not a number; strings must be in double quotes")]
    [InlineData("{ \"image\": \"app,\n \"aws\": {} }", "1:12: the string that begins here has no closing double quote on its line")]
    [InlineData("{ \"image\": \"app", "1:12: the string that begins here has no closing double quote")]
    [InlineData("{ \"image\": \"a\tb\" }", "1:14: a tab or another control character in a string; escape it as \\t or \\u0000")]
    [InlineData("{ \"host\": \"C:\\data\" }", "1:14: a backslash in a string must be doubled (\\\\)")]
    [InlineData("{ \"a\\x\": 1 }", "1:5: a backslash in a string must be doubled (\\\\)")]
    [InlineData("# comment\n{}", "1:1: '#' doesn't start a comment; use // or /* … */")]
    [InlineData("{ /* comment\n \"image\": \"app\" }", "1:3: this comment is never closed; add */")]
    [InlineData("{ \"image\": \"app\" } }", "1:20: the configuration ends before this; remove the rest, or a bracket that closes too early")]
    [InlineData("{ \"image\": \"app\" }, \"aws\": {}", "1:19: the configuration ends before this; remove the rest, or a bracket that closes too early")]
    [InlineData("{ \"a\": 1 : 2 }", "1:10: unexpected ':'; it belongs between a key in double quotes and a single value")]
    [InlineData("image: app", "1:1: strings must be in double quotes, like \"20s\"")]
    [InlineData("{ \"image\": \"app\" // \u2028 \n }", "1:18: this comment contains an invisible line separator (U+2028 or U+2029); remove it")]
    public void A_common_syntax_error_is_explained_at_its_position(string text, string expected) =>
        Assert.Equal([$"{FileName}:{expected}"], ErrorLines(text));

    [Fact]
    public void Deep_nesting_is_an_error() =>
        Assert.Equal("nested deeper than 64 levels", AssertSingleError(string.Concat(Enumerable.Repeat("{\"a\":", 65))));

    [Fact]
    public void Half_a_surrogate_pair_does_not_hide_other_errors() =>
        Assert.Equal(
            [
                @"this string contains half of a surrogate pair (\ud800 to \udfff alone); write the character itself",
                "container.port: must be a whole number from 1 to 65535, but is 0",
            ],
            AssertRejected("""{ "image": "app", "environment": { "A": "\ud800" }, "container": { "port": 0 } }"""));

    [Theory]
    [InlineData("[]", "must be a single object { … }, but is a list")]
    [InlineData("\"app\"", "must be a single object { … }, but is a string")]
    [InlineData("null", "must be a single object { … }, but is null")]
    public void A_file_that_is_not_an_object_is_answered_with_an_example(string text, string expected) =>
        Assert.Equal(
            $$"""{{expected}}; the smallest useful file is { "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }; """
            + "a sample with every key is in /usr/share/ragagent/ragagent.json",
            AssertSingleError(text));
}
