using System.Diagnostics;
using System.Text;
using CsCheck;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>Runs the handover's script with the shells that images have.</summary>
public class SecretHandoverTests
{
    private const string Canary = "canary7731";

    // Prints all variables, each followed by a null byte.
    private static readonly string[] ShowEnvironment = ["/usr/bin/env", "-0"];

    internal static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["'\"\\$`(){};&|<>*?[]~#!= \t\n\rab"], 0, 40],
        Gen.OneOf(
            "'", "''", "'\\''", "\\", "\\\\", "$(touch /tmp/x)", "`id`", "${HOME}", "\n", "\n\n", "#end", "\n#end\n", "'\n#end\n", "#''''",
            "\n#''''\n", " ", "\t", "é", "Á", "ß", "漢", "😀", "\u0081", "\u0088", "\ufeff", "\r\n", "export", "EOF")
            .Array[0, 10].Select(string.Concat),
        Gen.Char['\u0001', '\ud7ff'].Array[0, 20].Select(chars => new string(chars)));

    public static TheoryData<string> Shells => ["/bin/sh", "/bin/dash", "/bin/bash --posix", "/bin/bash", "/bin/busybox sh"];

    [Theory]
    [MemberData(nameof(Shells))]
    public void Every_character_of_a_secret_arrives(string shell) =>
        Gen.Select(Texts, Texts).Sample((one, two) =>
        {
            var run = Run(shell, SecretHandover.BuildMessage([Secret("ONE", one), Secret("TWO", two)]), ShowEnvironment);

            Assert.Equal("", run.Error);
            Assert.Equal((0, one, two), (run.Code, run.Variable("ONE"), run.Variable("TWO")));
        }, iter: 60, threads: 1);

    [Theory]
    [MemberData(nameof(Shells))]
    public void A_secret_can_have_any_variable_name(string shell)
    {
        string[] names = ["s", "l", "secret", "line", "_x", "ragagent", "text", "Path1"];

        var run = Run(shell, SecretHandover.BuildMessage([.. names.Select(name => Secret(name, "value of " + name))]), ShowEnvironment);

        Assert.All(names, name => Assert.Equal("value of " + name, run.Variable(name)));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_environment_of_the_image_stays_unchanged(string shell)
    {
        var run = Run(shell, SecretHandover.BuildMessage([Secret("KEY", "sk-1")]), ShowEnvironment, ("s", "mine"), ("l", "mine too"), ("HOME", "/home"));

        Assert.Equal(("mine", "mine too", "/home"), (run.Variable("s"), run.Variable("l"), run.Variable("HOME")));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void Only_the_secrets_are_added_to_the_environment(string shell)
    {
        var without = Run(shell, SecretHandover.BuildMessage([]), ShowEnvironment).Names;
        var with = Run(shell, SecretHandover.BuildMessage([Secret("KEY", "sk-1")]), ShowEnvironment).Names;

        Assert.Equal(["KEY"], with.Except(without));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void An_input_that_ends_early_does_not_start_the_app_and_says_why(string shell)
    {
        var message = SecretHandover.BuildMessage([Secret("ONE", $"{Canary}\n#end\nmore"), Secret("TWO", $"'\n#end\n#''''\n''{Canary}")]);
        for (var length = 0; length < message.Length; length++)
        {
            var run = Run(shell, message[..length], ["/bin/echo", "started"]);

            Assert.Equal((SecretHandover.NotDeliveredExitCode, "", "ragagent: the secrets were not delivered\n"), (run.Code, run.Output, run.Error));
        }
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_input_of_the_command_is_empty(string shell)
    {
        var run = Run(shell, [.. SecretHandover.BuildMessage([Secret("KEY", "sk-1")]), .. "left over"u8], ["/bin/cat"]);

        Assert.Equal((0, "", ""), (run.Code, run.Output, run.Error));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_command_gets_its_arguments_unchanged_and_replaces_the_shell(string shell)
    {
        var run = Run(shell, SecretHandover.BuildMessage([Secret("KEY", "sk-1")]), ["/bin/sh", "-c", "printf '%s|' \"$@\"; exit 42", "name", "two words", "$KEY", "", "*"]);

        Assert.Equal((42, "two words|$KEY||*|", ""), (run.Code, run.Output, run.Error));
    }

    [Fact]
    public void The_script_contains_no_secret() =>
        Assert.Equal(["/bin/sh", "-c", "ragagent"], SecretHandover.Entrypoint.Where((_, i) => i != 2));

    private static LoadedSecret Secret(string variable, string value) => new(variable, new SecretValue(value), SecretDelivery.Memory);

    internal static ShellResult Run(string shell, byte[] input, string[] command, params (string Name, string Value)[] environment)
    {
        var words = shell.Split(' ');
        var start = new ProcessStartInfo(words[0], [.. words[1..], .. SecretHandover.Entrypoint.Skip(1), .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment.Clear();
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return new ShellResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    internal sealed record ShellResult(int Code, string Output, string Error)
    {
        private Dictionary<string, string> Variables => Output.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

        public IEnumerable<string> Names => Variables.Keys;

        public string? Variable(string name) => Variables.GetValueOrDefault(name);
    }
}
