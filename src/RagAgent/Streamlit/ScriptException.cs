namespace RagAgent.Streamlit;

/// <summary>An exception as Streamlit reports it to the browser. Both texts are the app's, and may hold secrets.</summary>
/// <param name="Type">Such as <c>KeyError</c> or <c>openai.OpenAIError</c>.</param>
/// <param name="Message">May have several lines, or be a general one: apps can hide details from browsers.</param>
internal sealed record ScriptException(string Type, string Message)
{
    // Streamlit's text when client.showErrorDetails hides the message.
    private const string HiddenPrefix = "This app has encountered an error";

    /// <summary>Whether the browser gets no details.</summary>
    public bool IsHidden => Message.StartsWith(HiddenPrefix, StringComparison.Ordinal);

    /// <summary>The app lacks a module, or a module of it does not compile. Another attempt with the same image would fail, too.</summary>
    public bool IsOfTheImage => Type.Split('.')[^1] is "ModuleNotFoundError" or "ImportError" or "SyntaxError" or "IndentationError" or "TabError";

    /// <summary>A type with its module. Streamlit since 1.50 names it for uncaught exceptions only.</summary>
    public bool HasModule => Type.Contains('.');

    /// <summary>One line like the last one of a traceback.</summary>
    public string Summary
    {
        get
        {
            var lines = Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            // The message of a syntax error is a small traceback, whose last line says it all.
            return lines is [.., var last] && last.StartsWith(Type + ":", StringComparison.Ordinal) ? last
                : lines is [var first, ..] && !IsHidden ? $"{Type}: {first}"
                : Type;
        }
    }
}
