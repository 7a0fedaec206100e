using System.CommandLine;
using System.Text;
using RagAgent.Secrets;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent password</c>: prints the hash for <c>access.password</c>. The password itself is not stored.</summary>
internal static class PasswordCommand
{
    private const int MinLength = 8;
    private const int MaxLength = 1024;

    public static Command Create()
    {
        var command = new Command(
            "password",
            "Read a password (from the terminal twice, or from standard input) and print its hash for access.password.");
        command.SetAction((_, stopping) => RunAsync(stopping));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken stopping)
    {
        try
        {
            // Ctrl-C works while typing. The thread that waits for a key ends with the process.
            var password = await Task.Run(Read, stopping).WaitAsync(stopping);
            if (password is null)
            {
                await Console.Error.WriteLineAsync();
                return ExitCodes.Failed;
            }
            if (Validate(password) is { } error)
            {
                await Console.Error.WriteLineAsync($"ragagent: {error}");
                return ExitCodes.Failed;
            }
            Console.WriteLine(PasswordHash.Create(password));
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync();
            return ExitCodes.Failed;
        }
        catch (PasswordMismatchException)
        {
            await Console.Error.WriteLineAsync("ragagent: The passwords differ. Try again.");
            return ExitCodes.Failed;
        }
    }

    private static string? Read() => Console.IsInputRedirected ? ReadFromInput() : ReadFromTerminal();

    private static string? Validate(string password) => password switch
    {
        { Length: < MinLength } => $"The password has fewer than {MinLength} characters and is easy to guess. Choose a longer one.",
        { Length: > MaxLength } => $"The password has more than {MaxLength} characters. Choose a shorter one.",
        _ when password.Any(char.IsControl) =>
            "The password contains control characters or several lines, which browsers can't send. Choose another one.",
        _ => null,
    };

    /// <summary>The line end is not part of the password.</summary>
    private static string ReadFromInput()
    {
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        var text = new char[MaxLength + 3];
        var read = input.ReadBlock(text);
        var password = new string(text, 0, read);
        return password.EndsWith("\r\n", StringComparison.Ordinal) ? password[..^2] : password.EndsWith('\n') ? password[..^1] : password;
    }

    private static string? ReadFromTerminal()
    {
        var password = PromptFor("Password: ");
        if (password is null || Validate(password) is not null)
        {
            return password;
        }
        var again = PromptFor("Again: ");
        return again is null || again == password ? again : throw new PasswordMismatchException();
    }

    /// <returns>Null: cancelled with Ctrl-D.</returns>
    private static string? PromptFor(string prompt)
    {
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Console.Error.WriteLine();
                    return typed.ToString();
                case ConsoleKey.Backspace:
                    typed.Length = Math.Max(0, typed.Length - 1);
                    break;
                case ConsoleKey.D when key.Modifiers == ConsoleModifiers.Control:
                    return null;
                case ConsoleKey.U when key.Modifiers == ConsoleModifiers.Control:
                    typed.Clear();
                    break;
                default:
                    if (key.KeyChar != '\0' && !char.IsControl(key.KeyChar))
                    {
                        typed.Append(key.KeyChar);
                    }
                    break;
            }
        }
    }

    private sealed class PasswordMismatchException : Exception;
}
