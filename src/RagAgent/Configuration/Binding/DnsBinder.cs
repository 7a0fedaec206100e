using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>dns</c> section.</summary>
internal static class DnsBinder
{
    private const string ZoneExpected = "the ID of a hosted zone, like \"Z0123456789ABCDEFGHIJ\"";
    private const string NameExpected = "a host name like \"rag.example.com\"";
    private const string NoDefault = "this key has no default";
    private const int MaxZoneLength = 32;
    private const int MaxTtl = 86400;

    /// <returns>Null: no DNS name points at this machine.</returns>
    public static DnsConfig? Bind(ConfigSection file)
    {
        if (!file.Has("dns") || file.IsNull("dns"))
        {
            return null;
        }

        var section = file.Child("dns");
        if (!file.AreValid("dns"))
        {
            return null;
        }

        if (!section.Has("zone"))
        {
            section.AddError("zone", "is missing; set the ID of the name's hosted zone, like \"Z0123456789ABCDEFGHIJ\"");
        }

        if (!section.Has("name"))
        {
            section.AddError("name", "is missing; set the name that clients use, like \"rag.example.com\"");
        }

        var defaults = new DnsConfig { Zone = "", Name = "" };
        return new DnsConfig
        {
            Zone = section.Read("zone", "", Required(ZoneExpected, ValidateZone)),
            Name = Normalize(section.Read("name", "", Required(NameExpected, ValidateName))),
            Ttl = section.Read("ttl", defaults.Ttl, ValueParsers.Integer(1, MaxTtl, "a number of seconds like 60")),
            OnStop = section.Read("onStop", defaults.OnStop, ValueParsers.OneOf(("keep", DnsOnStop.Keep), ("delete", DnsOnStop.Delete))),
        };
    }

    private static ValueParser<string> Required(string expected, Func<string, RuleViolation?> rule) =>
        (ConfigNode node, out string value) =>
    {
        var problem = ValueParsers.String(expected, rule)(node, out value);
        return node is NullNode ? ErrorMessages.WrongType(expected, node, NoDefault) : problem;
    };

    private static string Normalize(string name) => (name.EndsWith('.') ? name[..^1] : name).ToLowerInvariant();

    private static RuleViolation? ValidateZone(string zone)
    {
        if (IsZone(zone))
        {
            return null;
        }

        var id = zone.Split('/')[^1];
        return new($"be {ZoneExpected}", id != zone && IsZone(id)
            ? $"write {Quoting.Value(id)}"
            : "'aws route53 list-hosted-zones-by-name --dns-name example.com' shows the zone of example.com");
    }

    private static bool IsZone(string text) =>
        text is ['Z', _, ..] && text.Length <= MaxZoneLength
        && text.All(character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character));

    private static RuleViolation? ValidateName(string name)
    {
        if (name.Contains("://", StringComparison.Ordinal))
        {
            return new($"be {NameExpected}", "give only the name; listen sets the scheme and the port");
        }

        if (name.Contains('*', StringComparison.Ordinal))
        {
            return new($"be {NameExpected}", "wildcards are not supported");
        }

        if (!name.All(char.IsAscii))
        {
            return new($"be {NameExpected}", "write non-ASCII letters in Punycode (xn--…)");
        }

        return NameRules.IsHost(Normalize(name)) ? null : new($"be {NameExpected}: labels of letters, digits and '-', separated by dots");
    }
}
