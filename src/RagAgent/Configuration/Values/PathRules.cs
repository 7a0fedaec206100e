using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>What may be a path, in the file system and in an address.</summary>
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

        return path.Split('/').Any(part => part is "." or "..") ? new("be a path without '.' and '..' in it", "write the path that is meant") : null;
    }

    /// <summary>Both ends of a mount: the engine's own notation joins them by ':'.</summary>
    public static RuleViolation? ValidateMountable(string path)
    {
        if (ValidateAbsolute(path) is { } violation)
        {
            return violation;
        }

        if (path.Contains(':', StringComparison.Ordinal))
        {
            return new("hold no ':'");
        }

        return Normalize(path) == "/" ? new("be a folder below '/'", "the whole file system can't be mounted") : null;
    }

    /// <summary>A path and perhaps a query, as a probe asks for it.</summary>
    public static RuleViolation? ValidateUrlPath(string path)
    {
        if (!path.StartsWith('/'))
        {
            return new("begin with '/'", "give the path alone; host and port are the container's");
        }

        var plain = path.Length <= MaxLength && path.All(character => character is > ' ' and < '\u007f' and not '#' and not '\\');
        return plain ? null : new("be a path without spaces, '#' and letters beyond ASCII", "write such characters as %20 and the like");
    }

    /// <summary>Where an app lives below an address: as it stands before every path of the app.</summary>
    public static RuleViolation? ValidateBasePath(string path)
    {
        if (!path.StartsWith('/'))
        {
            return new("begin with '/'", "like \"/rag\"");
        }

        if (path.EndsWith('/'))
        {
            return path.Trim('/').Length == 0 ? new("be a path below '/'", "null: the app lives at '/'") : new("not end with '/'", $"write {Quoting.Value(Normalize(path))}");
        }

        var plain = path.Length <= MaxLength && path[1..].Split('/').All(part => part is not ("" or "." or "..") && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '~'));
        if (!plain)
        {
            return new("be letters, digits, '-', '_', '.' and '~' between single slashes");
        }

        return "/" + path.Split('/')[1] is AgentPaths.Prefix or "/.well-known" ? new($"not begin with '{AgentPaths.Prefix}' or '/.well-known'", "these paths are the agent's") : null;
    }

    /// <summary>The same path without doubled and trailing slashes, so that two spellings can be compared.</summary>
    public static string Normalize(string path) => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));
}
