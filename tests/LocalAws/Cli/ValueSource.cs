namespace LocalAws.Cli;

/// <summary>Reads a value that must not appear in the process list: <c>@FILE</c>, or <c>-</c> for standard input.</summary>
internal static class ValueSource
{
    /// <summary>A line break at the end is not part of the value.</summary>
    /// <exception cref="LocalAwsException">The text is neither, or the file can't be read.</exception>
    public static string Read(string source)
    {
        if (source == "-")
        {
            return WithoutLineEnd(Console.In.ReadToEnd());
        }

        if (!source.StartsWith('@'))
        {
            throw new LocalAwsException("Pass a value as @FILE, or as - for standard input, so that it doesn't appear in the process list.");
        }

        try
        {
            return WithoutLineEnd(File.ReadAllText(source[1..]));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new LocalAwsException($"Could not read the value's file: {failure.Message}", failure);
        }
    }

    /// <summary>Reads <c>NAME=@FILE</c>.</summary>
    /// <exception cref="LocalAwsException">There is no equals sign, or the value can't be read.</exception>
    public static (string Name, string Value) ReadPair(string pair) => pair.Split('=', 2) is [var name, var source]
        ? (name, Read(source))
        : throw new LocalAwsException($"'{pair}' is not NAME=@FILE.");

    private static string WithoutLineEnd(string text) => text.EndsWith('\n') ? text[..^1].TrimEnd('\r') : text;
}
