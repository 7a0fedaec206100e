namespace RagAgent.Configuration;

/// <summary>Reads the section <c>dns</c>.</summary>
internal static class DnsBinder
{
    private const string ZoneExpected = "the id of a hosted zone, like \"Z0123456789ABCDEFGHIJ\"";
    private const string NameExpected = "a host name like \"rag.example.com\"";
    private const string NoDefault = "this key has no default";
    private const int LongestZone = 32;
    private const int LongestTtl = 86400;

    /// <returns>Null: no name is pointed at this machine.</returns>
    public static DnsConfig? Bind(Section file)
    {
        if (!file.Has("dns") || file.IsNull("dns")) return null;
        Section section = file.Child("dns");
        if (!file.AreSound("dns")) return null;
        if (!section.Has("zone")) section.Refuse("zone", "is missing; give the id of the hosted zone that the name is in, like \"Z0123456789ABCDEFGHIJ\"");
        if (!section.Has("name")) section.Refuse("name", "is missing; give the name that visitors shall use, like \"rag.example.com\"");
        var defaults = new DnsConfig { Zone = "", Name = "" };
        return new DnsConfig
        {
            Zone = section.Read("zone", "", Required(ZoneExpected, Zone)),
            Name = Plain(section.Read("name", "", Required(NameExpected, Name))),
            Ttl = section.Read("ttl", defaults.Ttl, Kinds.Whole(1, LongestTtl, "a number of seconds like 60")),
            OnStop = section.Read("onStop", defaults.OnStop, Kinds.Choice(("keep", DnsOnStop.Keep), ("delete", DnsOnStop.Delete))),
        };
    }

    private static Kind<string> Required(string expected, Func<string, Refusal?> rule) => (ConfigNode node, out string value) =>
    {
        string? problem = Kinds.Text(expected, rule)(node, out value);
        return node is NullNode ? Say.WrongType(expected, node, NoDefault) : problem;
    };

    private static string Plain(string name) => (name.EndsWith('.') ? name[..^1] : name).ToLowerInvariant();

    private static Refusal? Zone(string zone)
    {
        if (zone is ['Z', _, ..] && zone.Length <= LongestZone && zone.All(character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character))) return null;
        string id = zone.Split('/')[^1];
        return new($"be {ZoneExpected}", id != zone && Zone(id) is null
            ? $"write {Shown.Text(id)}"
            : "'aws route53 list-hosted-zones-by-name --dns-name example.com' shows the zone of example.com");
    }

    private static Refusal? Name(string name)
    {
        if (name.Contains("://", StringComparison.Ordinal)) return new($"be {NameExpected}", "give the name alone; whether it is http or https, and the port, is in listen");
        if (name.Contains('*', StringComparison.Ordinal)) return new($"be {NameExpected}", "visitors need one name, not all of a kind");
        if (!name.All(char.IsAscii)) return new($"be {NameExpected}", "write letters beyond ASCII as DNS has them (xn--…)");
        return NameRules.IsHost(Plain(name)) ? null : new($"be {NameExpected}: labels of letters, digits and '-' with dots between them");
    }
}
