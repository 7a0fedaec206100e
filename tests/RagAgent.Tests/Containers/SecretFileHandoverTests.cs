using System.Text;
using CsCheck;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>Runs the part of the handover that writes files, with the shells that images have.</summary>
public sealed class SecretFileHandoverTests : IDisposable
{
    private const string Canary = "canary7731";
    private static readonly string[] Start = ["/bin/echo", "started"];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-files-");

    public static TheoryData<string> Shells => SecretHandoverTests.Shells;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Shells))]
    public void Every_character_of_a_secret_arrives_in_its_file(string shell) =>
        SecretHandoverTests.Texts.Sample(text =>
        {
            var file = NewFile();

            var run = SecretHandoverTests.Run(shell, SecretHandover.BuildMessage([Secret("KEY", text, file)]), Start);

            // As bytes, because reading a text would drop a byte order mark.
            Assert.Equal((0, "started\n", "", text), (run.Code, run.Output, run.Error, Encoding.UTF8.GetString(File.ReadAllBytes(file))));
        }, iter: 40, threads: 1);

    [Theory]
    [MemberData(nameof(Shells))]
    public void Only_the_owner_can_read_the_file_and_the_apps_umask_stays(string shell)
    {
        var file = NewFile();
        string[] showUmask = ["/bin/sh", "-c", "umask"];

        var with = SecretHandoverTests.Run(shell, SecretHandover.BuildMessage([Secret("KEY", "sk-1", file)]), showUmask);
        var without = SecretHandoverTests.Run(shell, SecretHandover.BuildMessage([]), showUmask);

        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(file));
        Assert.Equal(without.Output, with.Output);
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void A_secret_with_a_path_is_no_variable(string shell)
    {
        var message = SecretHandover.BuildMessage([Secret("A", "one", NewFile()), Secret("B", "two")]);

        Assert.Equal("none two\n", SecretHandoverTests.Run(shell, message, ["/bin/sh", "-c", "echo \"${A-none} $B\""]).Output);
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_file_of_Streamlit_has_the_variables_and_no_secret_with_a_path(string shell)
    {
        var streamlit = NewFile();
        var message = SecretHandover.BuildMessage([Secret("A", "it's $HOME"), Secret("B", "a\nb"), Secret("C", "three", NewFile())], streamlit);

        var run = SecretHandoverTests.Run(shell, message, ["/bin/sh", "-c", "echo \"$A\""]);

        Assert.Equal("it's $HOME\n", run.Output);
        Assert.Equal("A = \"it's $HOME\"\nB = \"a\\u000Ab\"\n", File.ReadAllText(streamlit));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(streamlit));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_path_can_have_any_character(string shell)
    {
        var file = NewFile("it's a $(touch x) `file` é");

        SecretHandoverTests.Run(shell, SecretHandover.BuildMessage([Secret("KEY", "sk-1", file)]), Start);

        Assert.Equal("sk-1", File.ReadAllText(file));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void A_file_that_can_not_be_written_ends_the_container_and_is_named(string shell)
    {
        foreach (var path in (string[])["/no/such/file", "/dev/full"])
        {
            var run = SecretHandoverTests.Run(shell, SecretHandover.BuildMessage([Secret("KEY", Canary, path)]), Start);

            Assert.Equal((SecretHandover.NotWrittenExitCode, ""), (run.Code, run.Output));
            Assert.EndsWith($"ragagent: a secret could not be written to {path}\n", run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(Canary, run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_shell_whose_printf_is_a_program_never_passes_it_a_secret()
    {
        var file = NewFile();
        // Bash without its own printf finds the program of that name.
        byte[] message = [.. "enable -n printf\n"u8, .. SecretHandover.BuildMessage([Secret("KEY", Canary, file)])];

        var run = SecretHandoverTests.Run("/bin/bash", message, Start, ("PATH", "/usr/bin"));

        Assert.Equal(
            (SecretHandover.NotWrittenExitCode, "", "ragagent: the image's shell lacks a built-in printf to write secrets into files\n"),
            (run.Code, run.Output, run.Error));
        Assert.False(File.Exists(file));
    }

    [Theory]
    [MemberData(nameof(Shells))]
    public void An_input_that_ends_early_writes_no_file(string shell)
    {
        var file = NewFile("#'''' ");
        var message = SecretHandover.BuildMessage([Secret("ONE", "'''\n#''''\n", file), Secret("TWO", "'")], NewFile("'#'"));
        for (var length = 0; length < message.Length; length++)
        {
            var run = SecretHandoverTests.Run(shell, message[..length], Start);

            Assert.Equal((SecretHandover.NotDeliveredExitCode, "", false), (run.Code, run.Output, File.Exists(file)));
        }
    }

    [Fact]
    public void Without_files_the_shell_only_exports_variables() =>
        Assert.Equal("export KEY='sk-1'\n#''''\n"u8.ToArray(), SecretHandover.BuildMessage([Secret("KEY", "sk-1")]));

    private string NewFile(string name = "") => Path.Combine(_folder.FullName, name + Guid.NewGuid());

    private static LoadedSecret Secret(string variable, string value, string? path = null) =>
        new(variable, new SecretValue(value), SecretDelivery.Memory, path);
}
