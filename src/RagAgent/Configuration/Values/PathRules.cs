using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>Rules for file paths and URL paths.</summary>
internal static class PathRules
{
    private const int MaxLength = 4096;

    public static RuleViolation? ValidateAbsolute(string path)
    {
        if (!path.StartsWith('/'))
        {
            return new("be an absolute path, beginning with '/'");
        }

        if (path.Length > MaxLength || path.Any(char.IsControl))
        {
            return new($"be a path of at most {MaxLength} characters, without control characters");
        }

        return path.Split('/').Any(part => part is "." or "..")
            ? new("be a path without '.' and '..' parts", "write the resolved path")
            : null;
    }

    /// <summary>For both ends of a mount. The engine's syntax separates them by ':'.</summary>
    public static RuleViolation? ValidateMountable(string path)
    {
        if (ValidateAbsolute(path) is { } violation)
        {
            return violation;
        }

        if (path.Contains(':', StringComparison.Ordinal))
        {
            return new("not contain ':'");
        }

        return Normalize(path) == "/" ? new("be a folder below '/'", "the whole file system can't be mounted") : null;
    }

    /// <summary>What a probe requests: a path, optionally with a query.</summary>
    public static RuleViolation? ValidateUrlPath(string path)
    {
        if (!path.StartsWith('/'))
        {
            return new("begin with '/'", "give only the path; the container determines host and port");
        }

        var plain = path.Length <= MaxLength && path.All(character => character is > ' ' and < '\u007f' and not '#' and not '\\');
        return plain ? null : new("be a path of ASCII characters, without spaces, '#' and backslashes", "percent-encode others, as in %20");
    }

    /// <summary>The prefix of all the app's paths.</summary>
    public static RuleViolation? ValidateBasePath(string path)
    {
        if (!path.StartsWith('/'))
        {
            return new("begin with '/'", "for example, \"/rag\"");
        }

        if (path.Trim('/').Length == 0)
        {
            return new("be a path below '/'", "for an app at '/', use null");
        }

        if (path.EndsWith('/'))
        {
            return new("not end with '/'", $"write {Quoting.Value(Normalize(path))}");
        }

        if (path.Length > MaxLength || !path[1..].Split('/').All(IsPlainPart))
        {
            return new("consist of letters, digits, '-', '_', '.' and '~' between single slashes");
        }

        return "/" + path.Split('/')[1] is ReservedUrlPaths.Prefix or "/.well-known"
            ? new($"not begin with '{ReservedUrlPaths.Prefix}' or '/.well-known'", "the agent uses these paths")
            : null;
    }

    /// <summary>Removes repeated and trailing slashes, so that paths can be compared.</summary>
    public static string Normalize(string path) => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));

    private static bool IsPlainPart(string part) =>
        part is not ("" or "." or "..")
        && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '~');
}
