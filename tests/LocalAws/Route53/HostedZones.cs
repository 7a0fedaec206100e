using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LocalAws.Route53;

/// <summary>The hosted zones with their records; in memory only.</summary>
public sealed class HostedZones(TimeProvider clock)
{
    /// <summary>How long a change takes to reach all name servers.</summary>
    public static readonly TimeSpan Propagation = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Zone> _zones = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _changes = new(StringComparer.Ordinal);

    /// <summary>Makes an empty zone, or empties it: no NS and SOA records are in it.</summary>
    /// <param name="id">As <c>Z0123456789ABCDEFGHIJ</c>.</param>
    /// <param name="name">As <c>example.com</c>.</param>
    public void Add(string id, string name)
    {
        lock (_gate)
            _zones[id] = new Zone(id, Canonical(name), []);
    }

    /// <summary>All records of a zone, in Route 53's order.</summary>
    /// <exception cref="AwsErrorException">There is no such zone.</exception>
    public IReadOnlyList<RecordSet> Records(string id)
    {
        lock (_gate)
            return [.. Find(id).Records.OrderBy(SortKey, StringComparer.Ordinal)];
    }

    /// <summary>What a record holds, joined by commas; null: there is none.</summary>
    public string? Value(string id, string name, string type = "A") =>
        Records(id).FirstOrDefault(set => set.Name == Canonical(name) && set.Type == type) is { } set ? string.Join(',', set.Values) : null;

    /// <summary>Puts a record there as somebody else would, unchecked.</summary>
    public void Put(string id, RecordSet set)
    {
        lock (_gate)
            Find(id).Replace(set with { Name = Canonical(set.Name) });
    }

    /// <summary>In small letters, with a dot at the end; what is no letter, digit, hyphen or underscore as an escape.</summary>
    public static string Canonical(string name)
    {
        var text = new StringBuilder();
        foreach (var character in name.ToLowerInvariant())
            text.Append(char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '\\' ? character : $"\\{Convert.ToString(character, 8).PadLeft(3, '0')}");
        return text.Length > 0 && text[^1] == '.' ? text.ToString() : text.Append('.').ToString();
    }

    internal IReadOnlyList<(string Id, string Name, int Records)> All()
    {
        lock (_gate)
            return [.. _zones.Values.OrderBy(zone => zone.Name, StringComparer.Ordinal).Select(zone => (zone.Id, zone.Name, zone.Records.Count))];
    }

    /// <summary>Makes all changes of a batch, or none.</summary>
    /// <returns>The id of the change.</returns>
    /// <exception cref="AwsErrorException">What is wrong with it, each change by itself.</exception>
    internal string Change(string id, IReadOnlyList<(string Action, RecordSet Set)> batch)
    {
        lock (_gate)
        {
            var zone = Find(id);
            var next = zone with { Records = [.. zone.Records] };
            var wrong = new List<string>();
            foreach (var (action, set) in batch)
            {
                if (Refusal(next, action, set) is { } refusal)
                    wrong.Add(refusal);
                else if (action == "DELETE")
                    next.Records.RemoveAll(there => IsSame(there, set));
                else
                    next.Replace(set);
            }
            if (wrong.Count > 0)
                throw new AwsErrorException(AwsError.BadRequest("InvalidChangeBatch", $"[{string.Join(", ", wrong)}]"));
            _zones[id] = next;
            var change = $"C{Guid.NewGuid():N}"[..21].ToUpperInvariant();
            _changes[change] = clock.GetUtcNow();
            return change;
        }
    }

    /// <returns>When it was made, and whether all name servers have it; null: there is no such change.</returns>
    internal (DateTimeOffset At, bool IsEverywhere)? FindChange(string change)
    {
        lock (_gate)
            return _changes.TryGetValue(change, out var at) ? (at, clock.GetUtcNow() - at >= Propagation) : null;
    }

    /// <summary>Sorts by the labels from the last to the first, then by type and set.</summary>
    internal static string SortKey(RecordSet set) => SortKey(set.Name, set.Type, set.SetId);

    internal static string SortKey(string name, string? type, string? setId) => $"{string.Join('.', Canonical(name).TrimEnd('.').Split('.').Reverse())}. {type} {setId}";

    private static string? Refusal(Zone zone, string action, RecordSet set)
    {
        if (!$".{set.Name}".EndsWith($".{zone.Name}", StringComparison.Ordinal))
            return $"RRSet with DNS name {set.Name} is not permitted in zone {zone.Name}";
        var same = zone.Records.FirstOrDefault(there => IsSame(there, set));
        if (action == "DELETE")
            return same is null ? $"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but it was not found"
                : same.HoldsTheSameAs(set) ? null
                : $"Tried to delete resource record set [name='{set.Name}', type='{set.Type}'] but the values provided do not match the current values";
        if (action == "CREATE" && same is not null)
            return $"Tried to create resource record set [name='{set.Name}', type='{set.Type}'] but it already exists";
        if (set.Values.FirstOrDefault(value => !IsValid(set.Type, value)) is { } wrong)
            return $"Invalid Resource Record: 'FATAL problem: {(set.Type == "AAAA" ? "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)" : "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")} encountered with '{wrong}''";
        var others = zone.Records.Where(there => there.Name == set.Name).ToArray();
        if (others.FirstOrDefault(there => there.Type != set.Type && (there.Type == "CNAME" || set.Type == "CNAME")) is { } conflict)
            return $"RRSet of type {set.Type} with DNS name {set.Name} is not permitted because a conflicting RRSet of type {conflict.Type} with the same DNS name already exists in zone {zone.Name}";
        return others.Any(there => there.Type == set.Type && (there.SetId is null) != (set.SetId is null))
            ? $"RRSet with DNS name {set.Name}, type {set.Type}, SetIdentifier {set.SetId ?? "null"} cannot be created as other RRSets exist with the same name and type"
            : null;
    }

    private static bool IsValid(string type, string value) => type switch
    {
        "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == AddressFamily.InterNetwork && value.Split('.').Length == 4,
        "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6,
        _ => true,
    };

    private static bool IsSame(RecordSet one, RecordSet other) => one.Name == other.Name && one.Type == other.Type && one.SetId == other.SetId;

    private Zone Find(string id) => _zones.GetValueOrDefault(id)
        ?? throw new AwsErrorException(new AwsError("NoSuchHostedZone", string.Create(CultureInfo.InvariantCulture, $"No hosted zone found with ID: {id}"), StatusCodes.Status404NotFound));

    private sealed record Zone(string Id, string Name, List<RecordSet> Records)
    {
        public void Replace(RecordSet set)
        {
            Records.RemoveAll(there => IsSame(there, set));
            Records.Add(set);
        }
    }
}
