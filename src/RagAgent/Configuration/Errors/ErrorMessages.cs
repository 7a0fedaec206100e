using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Errors;

/// <summary>The one form of a refusal: <c>must be this, but is that; do this</c>.</summary>
internal static class ErrorMessages
{
    public static string Must(string expected, string? found, string? hint = null) =>
        $"must {expected}{(found is null ? "" : $", but is {found}")}{(hint is null ? "" : $"; {hint}")}";

    /// <summary>With a stop at its end, unless it has one of its own: <c>did you mean 'access'?</c></summary>
    public static string EndSentence(string text) => text is [.., '.' or '?' or '!'] ? text : text + ".";

    /// <summary>For a value of another type: names the type, not the value.</summary>
    public static string WrongType(string expected, ConfigNode node, string? hint = null) =>
        Must($"be {expected}", node.TypeName, hint ?? (node is NullNode ? "leave the key out to get its default" : null));
}
