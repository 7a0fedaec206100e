using System.Text;
using CsCheck;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;
using RagAgent.Tests.Support;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigFuzzTests
{
    private const string Canary = "canary7731";
    private static readonly byte[] Sample = File.ReadAllBytes(RepositoryFiles.PathOf("packaging/ragagent.json"));

    /// <summary>Pieces that JSON, and this file, are made of: random bytes alone never get far into the parser.</summary>
    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\\", "\\u", "\\ud800", "//", "/*", "*/", "\n", " ", "null", "true", "-", "0", "1e9", "1.5", "\u2028", "“", "\ufeff",
        "\"image\"", "\"secrets\"", "\"container\"", "\"volumes\"", "\"host\"", "\"20s\"", "\"/app/data\"", "\"sk-aaaaaaaaaaaaaaaaaaaaaaaa\"", "{}", "[]",
    ];

    [Fact]
    public void Whatever_bytes_the_file_holds_there_is_an_answer() =>
        Gen.Byte.Array[0, 200].Sample(IsValidResult);

    [Fact]
    public void Whatever_pieces_of_JSON_the_file_holds_there_is_an_answer() =>
        Gen.OneOf(Fragments).Array[0, 40].Sample(pieces => IsValidResult(Encoding.UTF8.GetBytes(string.Concat(pieces))), iter: 20_000);

    [Fact]
    public void However_the_sample_is_damaged_there_is_an_answer() =>
        Gen.Select(Gen.Int[0, Sample.Length - 1], Gen.Int[0, 40], Gen.OneOf(Fragments))
            .Array[1, 3]
            .Sample(damages => IsValidResult(damages.Aggregate(Sample, DamagedText)), iter: 2_000);

    [Fact]
    public void However_the_file_is_damaged_no_message_shows_what_stands_in_secrets_and_environment()
    {
        var file = Encoding.UTF8.GetBytes($$"""
            { "image": "app",
              "secrets": { "A": "/{{Canary}}/a b", "B": { "ssm": "{{Canary}}", "file": "{{Canary}}", "{{Canary}}": 1, "delivery": "{{Canary}}", "json": "{{Canary}}" } },
              "environment": { "C": "{{Canary}}", "D": [ "{{Canary}}" ], "E": "sk-{{Canary}}-{{Canary}}-{{Canary}}" } }
            """);
        var first = Encoding.UTF8.GetString(file).IndexOf("\"A\"", StringComparison.Ordinal) + 3;
        Gen.Select(Gen.Int[first, file.Length - 1], Gen.Int[0, 1], Gen.OneOf(":", ",", "'", "\"", "\\", "1", "}", "]", "\n", "null", "")).Sample(damage =>
            ConfigReader.Read(DamagedText(file, damage), FileName).Errors.All(problem => RevealsNoCanary(problem)), iter: 5_000);
    }

    private static bool RevealsNoCanary(ConfigError problem) => !problem.Message.Contains(Canary, StringComparison.Ordinal);

    private static byte[] DamagedText(byte[] text, (int At, int Removed, string Inserted) damage)
    {
        var at = Math.Min(damage.At, text.Length);
        var end = Math.Min(at + damage.Removed, text.Length);
        return [.. text[..at], .. Encoding.UTF8.GetBytes(damage.Inserted), .. text[end..]];
    }

    private static bool IsValidResult(byte[] text)
    {
        var result = ConfigReader.Read(text, FileName);
        var inOrder = result.Errors.Zip(result.Errors.Skip(1)).All(pair => (pair.First.Line ?? 0) <= (pair.Second.Line ?? 0));
        var readable = result.Errors.All(problem => problem.Message.Length > 0 && !problem.ToString().Any(char.IsControl));
        return (result.Config is null) == (result.Errors.Count > 0) && inOrder && readable;
    }
}
