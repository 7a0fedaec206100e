using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalAws.Route53;

/// <summary>The hosted zones with their records, in memory only.</summary>
public sealed class HostedZones(TimeProvider clock)
{
    /// <summary>How long a change takes to reach all name servers.</summary>
    public static readonly TimeSpan PropagationDelay = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Zone> _zones = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _changes = new(StringComparer.Ordinal);

    /// <summary>Creates an empty zone, or empties an existing one. It has no NS and SOA records.</summary>
    /// <param name="id">Such as <c>Z0123456789ABCDEFGHIJ</c>.</param>
    /// <param name="name">Such as <c>example.com</c>.</param>
    public void Add(string id, string name)
    {
        lock (_lock)
        {
            _zones[id] = new Zone(id, Canonicalize(name), []);
        }
    }

    /// <summary>All records of a zone, in Route 53's order.</summary>
    /// <exception cref="AwsErrorException">There is no such zone.</exception>
    public IReadOnlyList<ResourceRecordSet> Records(string id)
    {
        lock (_lock)
        {
            return [.. Find(id).Records.OrderBy(SortKey, StringComparer.Ordinal)];
        }
    }

    /// <summary>A record's values, joined by commas; null if there is no record.</summary>
    public string? FindValue(string id, string name, string type = "A")
    {
        var found = Records(id).FirstOrDefault(set => set.Name == Canonicalize(name) && set.Type == type);
        return found is null ? null : string.Join(',', found.Values);
    }

    /// <summary>Writes a record without validation, as if another client had created it.</summary>
    public void Put(string id, ResourceRecordSet set)
    {
        lock (_lock)
        {
            Find(id).Replace(set with { Name = Canonicalize(set.Name) });
        }
    }

    /// <summary>In lower case, with a trailing dot. Characters other than letters, digits, hyphens and underscores are escaped.</summary>
    public static string Canonicalize(string name)
    {
        var text = new StringBuilder();
        foreach (var character in name.ToLowerInvariant())
        {
            var isPlain = char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '\\';
            text.Append(isPlain ? character : $"\\{Convert.ToString(character, 8).PadLeft(3, '0')}");
        }

        return text.Length > 0 && text[^1] == '.' ? text.ToString() : text.Append('.').ToString();
    }

    internal IReadOnlyList<(string Id, string Name, int Records)> ListZones()
    {
        lock (_lock)
        {
            return [.. _zones.Values
                .OrderBy(zone => zone.Name, StringComparer.Ordinal)
                .Select(zone => (zone.Id, zone.Name, zone.Records.Count))];
        }
    }

    /// <summary>Makes all changes of a batch, or none.</summary>
    /// <returns>The ID of the change.</returns>
    /// <exception cref="AwsErrorException">Some changes are invalid. The message lists each of them.</exception>
    internal string ApplyBatch(string id, IReadOnlyList<(string Action, ResourceRecordSet Set)> batch)
    {
        lock (_lock)
        {
            var zone = Find(id);
            var updated = zone with { Records = [.. zone.Records] };
            var invalid = new List<string>();
            foreach (var (action, set) in batch)
            {
                if (Validate(updated, action, set) is { } refusal)
                {
                    invalid.Add(refusal);
                }
                else if (action == "DELETE")
                {
                    updated.Records.RemoveAll(there => HasSameKey(there, set));
                }
                else
                {
                    updated.Replace(set);
                }
            }
            if (invalid.Count > 0)
            {
                throw new AwsErrorException(AwsError.BadRequest("InvalidChangeBatch", $"[{string.Join(", ", invalid)}]"));
            }

            _zones[id] = updated;
            var change = $"C{Guid.NewGuid():N}"[..21].ToUpperInvariant();
            _changes[change] = clock.GetUtcNow();
            return change;
        }
    }

    /// <returns>When the change was made and whether all name servers have it; null if there is no such change.</returns>
    internal (DateTimeOffset At, bool IsEverywhere)? FindChange(string change)
    {
        lock (_lock)
        {
            return _changes.TryGetValue(change, out var at) ? (at, clock.GetUtcNow() - at >= PropagationDelay) : null;
        }
    }

    /// <summary>Sorts by labels from last to first, then by type and set identifier.</summary>
    internal static string SortKey(ResourceRecordSet set) => SortKey(set.Name, set.Type, set.SetIdentifier);

    internal static string SortKey(string name, string? type, string? setId) =>
        $"{string.Join('.', Canonicalize(name).TrimEnd('.').Split('.').Reverse())}. {type} {setId}";

    private static string? Validate(Zone zone, string action, ResourceRecordSet set)
    {
        if (!$".{set.Name}".EndsWith($".{zone.Name}", StringComparison.Ordinal))
        {
            return $"RRSet with DNS name {set.Name} is not permitted in zone {zone.Name}";
        }

        var existing = zone.Records.FirstOrDefault(there => HasSameKey(there, set));
        if (action == "DELETE")
        {
            return existing is null ? $"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but it was not found"
                : existing.HasSameContent(set) ? null
                : $"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but the values provided do not match the current values";
        }

        if (action == "CREATE" && existing is not null)
        {
            return $"Tried to create resource record set [name='{set.Name}', type='{set.Type}'] but it already exists";
        }

        if (set.Values.FirstOrDefault(value => !IsValid(set.Type, value)) is { } invalid)
        {
            var fatal = set.Type == "AAAA"
                ? "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
                : "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)";
            return $"Invalid Resource Record: 'FATAL problem: {fatal} encountered with '{invalid}''";
        }

        var others = zone.Records.Where(there => there.Name == set.Name).ToArray();
        if (others.FirstOrDefault(there => there.Type != set.Type && (there.Type == "CNAME" || set.Type == "CNAME")) is { } conflict)
        {
            return $"RRSet of type {set.Type} with DNS name {set.Name} is not permitted because a conflicting RRSet of type {conflict.Type} "
                + $"with the same DNS name already exists in zone {zone.Name}";
        }

        return others.Any(there => there.Type == set.Type && (there.SetIdentifier is null) != (set.SetIdentifier is null))
            ? $"RRSet with DNS name {set.Name}, type {set.Type}, SetIdentifier {set.SetIdentifier ?? "null"} cannot be created as other RRSets exist with the same name and type"
            : null;
    }

    private static bool IsValid(string type, string value) => type switch
    {
        "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == AddressFamily.InterNetwork && value.Split('.').Length == 4,
        "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6,
        _ => true,
    };

    private static bool HasSameKey(ResourceRecordSet one, ResourceRecordSet other) =>
        one.Name == other.Name && one.Type == other.Type && one.SetIdentifier == other.SetIdentifier;

    private Zone Find(string id) => _zones.GetValueOrDefault(id)
        ?? throw new AwsErrorException(new AwsError("NoSuchHostedZone", $"No hosted zone found with ID: {id}", StatusCodes.Status404NotFound));

    private sealed record Zone(string Id, string Name, List<ResourceRecordSet> Records)
    {
        public void Replace(ResourceRecordSet set)
        {
            Records.RemoveAll(there => HasSameKey(there, set));
            Records.Add(set);
        }
    }
}
