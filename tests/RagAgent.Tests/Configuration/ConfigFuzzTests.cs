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

    // Parts of JSON and of this file. Random bytes alone never get far into the parser.
    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\\", "\\u", "\\ud800", "//", "/*", "*/", "\n", " ", "null", "true", "-", "0", "1e9", "1.5", "\u2028", "“", "\ufeff",
        "\"image\"", "\"secrets\"", "\"container\"", "\"volumes\"", "\"host\"", "\"20s\"", "\"/app/data\"", "\"sk-aaaaaaaaaaaaaaaaaaaaaaaa\"", "{}", "[]",
    ];

    [Fact]
    public void Random_bytes_give_a_valid_result() =>
        Gen.Byte.Array[0, 200].Sample(IsValidResult);

    [Fact]
    public void Random_JSON_fragments_give_a_valid_result() =>
        Gen.OneOf(Fragments).Array[0, 40]
            .Sample(fragments => IsValidResult(Encoding.UTF8.GetBytes(string.Concat(fragments))), iter: 20_000);

    [Fact]
    public void A_damaged_sample_gives_a_valid_result() =>
        Gen.Select(Gen.Int[0, Sample.Length - 1], Gen.Int[0, 40], Gen.OneOf(Fragments))
            .Array[1, 3]
            .Sample(damages => IsValidResult(damages.Aggregate(Sample, Damage)), iter: 2_000);

    [Fact]
    public void No_message_about_a_damaged_file_shows_values_of_secrets_or_environment()
    {
        var file = Encoding.UTF8.GetBytes($$"""
            { "image": "app",
              "secrets": { "A": "/{{Canary}}/a b", "B": { "ssm": "{{Canary}}", "file": "{{Canary}}", "{{Canary}}": 1, "delivery": "{{Canary}}", "json": "{{Canary}}" } },
              "environment": { "C": "{{Canary}}", "D": [ "{{Canary}}" ], "E": "sk-{{Canary}}-{{Canary}}-{{Canary}}" } }
            """);
        var first = Encoding.UTF8.GetString(file).IndexOf("\"A\"", StringComparison.Ordinal) + 3;
        var inserted = Gen.OneOf(":", ",", "'", "\"", "\\", "1", "}", "]", "\n", "null", "");
        Gen.Select(Gen.Int[first, file.Length - 1], Gen.Int[0, 1], inserted)
            .Sample(damage => ConfigReader.Read(Damage(file, damage), FileName).Errors.All(HidesCanary), iter: 5_000);
    }

    private static bool HidesCanary(ConfigError error) => !error.Message.Contains(Canary, StringComparison.Ordinal);

    private static byte[] Damage(byte[] text, (int Start, int Removed, string Inserted) damage)
    {
        var start = Math.Min(damage.Start, text.Length);
        var end = Math.Min(start + damage.Removed, text.Length);
        return [.. text[..start], .. Encoding.UTF8.GetBytes(damage.Inserted), .. text[end..]];
    }

    private static bool IsValidResult(byte[] text)
    {
        var result = ConfigReader.Read(text, FileName);
        var inOrder = result.Errors.Zip(result.Errors.Skip(1)).All(pair => (pair.First.Line ?? 0) <= (pair.Second.Line ?? 0));
        var readable = result.Errors.All(error => error.Message.Length > 0 && !error.ToString().Any(char.IsControl));
        return (result.Config is null) == (result.Errors.Count > 0) && inOrder && readable;
    }
}
