using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>Every key of the file, by section. Tests check that each one is read, documented and in the sample.</summary>
/// <remarks>
/// A section is named by its dotted key: <c>""</c> is the whole file, <c>NAME</c> a name that the operator chooses
/// and <c>[]</c> an entry of a list.
/// </remarks>
internal static class KnownKeys
{
    public const string Root = "";
    public const string Secret = "secrets.NAME";
    public const string Volume = "container.volumes[]";
    public const string Password = "access.password";
    public const string Network = "access.networks[]";

    private static readonly (string Section, string[] Keys)[] Sections =
    [
        (Root,
        [
            "$schema", "image", "aws", "secrets", "environment", "container", "listen", "tls", "access", "page", "health", "restart", "update", "dns", "idle",
        ]),
        ("aws", ["region"]),
        (Secret, ["ssm", "file", "credential", "json", "delivery", "path"]),
        ("container", ["name", "port", "memory", "cpus", "user", "readOnlyRoot", "streamlitSecrets", "volumes", "stopTimeout"]),
        (Volume, ["host", "container", "readOnly"]),
        ("listen", ["http", "https", "basePath"]),
        ("tls", ["certificate", "key", "challenge", "redirect", "hsts"]),
        ("access", ["password", "networks"]),
        (Password, ["ssm", "file", "credential", "json"]),
        ("page", ["title", "accent", "logo", "details"]),
        ("health", ["startup", "gate", "liveness"]),
        ("health.startup", ["path", "interval", "timeout", "deadline"]),
        ("health.gate", ["path", "webSocket", "session", "timeout"]),
        ("health.liveness", ["path", "interval", "timeout", "failures"]),
        ("restart", ["firstDelay", "maxDelay", "resetAfter"]),
        ("update", ["boot", "every", "when", "idleAfter", "waitAtMost", "swap", "watch", "drain", "hold"]),
        ("dns", ["zone", "name", "ttl", "onStop"]),
        ("idle", ["stopAfter", "grace", "maxUptime"]),
    ];

    /// <summary>A path. An operator may have put the private key itself in its place, so the value is never shown.</summary>
    public const string PrivateKey = "tls.key";

    /// <summary>The path of a member of an object, or of an entry (<c>[]</c>) of a list; null: there is no such key.</summary>
    /// <param name="path">The path of the object or list.</param>
    /// <param name="name">The name of the member, or <c>[]</c>.</param>
    public static string? ChildPath(string path, string name) => path switch
    {
        "secrets" => NameRules.IsVariable(name) ? Secret : null,
        "environment" => NameRules.IsVariable(name) ? "environment.NAME" : null,
        _ when $"{path}[]" is Volume or Network => name == "[]" ? $"{path}[]" : null,
        _ => Array.Exists(Sections, known => known.Section == path && known.Keys.Contains(name)) ? Join(path, name) : null,
    };

    /// <summary>Whether the value at a path may be shown because it is certainly not a secret.</summary>
    public static bool IsPublic(string path) =>
        path == Network || (All.Contains(path) && !IsSection(path) && path != PrivateKey && !IsSecretSource(path));

    /// <summary>Whether a path names the source of a secret, or is below one. An operator may have put the secret itself there.</summary>
    public static bool IsSecretSource(string path) =>
        path.StartsWith(Secret, StringComparison.Ordinal) || path.StartsWith(Password, StringComparison.Ordinal);

    /// <summary>Whether a path is that of an object or a list.</summary>
    public static bool IsSection(string path) =>
        path is "secrets" or "environment" || Array.Exists(Sections, known => known.Section == path || known.Section == $"{path}[]");

    /// <summary>Every dotted key.</summary>
    public static IEnumerable<string> All => Sections.SelectMany(section => section.Keys.Select(key => Join(section.Section, key)));

    /// <summary>Every key without its section.</summary>
    public static IEnumerable<string> Names => Sections.SelectMany(section => section.Keys);

    public static IReadOnlyList<string> InSection(string section) => Array.Find(Sections, known => known.Section == section).Keys;

    /// <summary>The dotted keys whose last part matches, in all sections.</summary>
    public static IEnumerable<string> Where(Func<string, bool> matches) =>
        Sections.SelectMany(section => section.Keys.Where(matches).Select(key => Join(section.Section, key)));

    public static string Join(string section, string key) => section.Length == 0 ? key : $"{section}.{key}";
}
