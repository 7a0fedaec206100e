using LocalAws.Requests;

namespace LocalAws.Faults;

/// <summary>The faults that are set. The first matching fault that replaces a response applies, and all that change its pace.</summary>
public sealed class FaultTable
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];

    // Faults whose count is used up. A request may still hang in one of them, and Clear must release it.
    private readonly List<Entry> _exhausted = [];

    /// <summary>Adds a fault. Faults apply in the order in which they were added.</summary>
    /// <exception cref="ArgumentException"><paramref name="times"/> is below 1.</exception>
    public void Add(string operation, Fault fault, int? times = null, string? method = null, string? role = null)
    {
        if (times < 1)
        {
            throw new ArgumentException($"A fault can't happen {times} times: set 1 or more, or omit the number.", nameof(times));
        }

        lock (_lock)
        {
            _entries.Add(new Entry(new FaultRule(operation, fault, times, method, role)));
        }
    }

    /// <summary>Pretends that no role is attached: its name is not found (404).</summary>
    public void AddMissingRole(int? times = null) =>
        Add(Operations.ImdsRole, new Fault.Error(Status: StatusCodes.Status404NotFound), times);

    /// <summary>The faults that are still set, with their remaining counts.</summary>
    public IReadOnlyList<FaultRule> Snapshot()
    {
        lock (_lock)
        {
            return [.. _entries.Select(e => e.Rule)];
        }
    }

    /// <summary>Removes the faults of one operation, or all of them. The connections of requests that hang in them end.</summary>
    public void Clear(string? operation = null)
    {
        bool IsCleared(Entry entry) => operation is null || entry.Rule.Operation == operation;
        List<Entry> cleared;
        lock (_lock)
        {
            cleared = [.. _entries.Concat(_exhausted).Where(IsCleared)];
            _entries.RemoveAll(IsCleared);
            _exhausted.RemoveAll(IsCleared);
        }
        foreach (var entry in cleared)
        {
            entry.Cleared.Cancel();
        }
    }

    internal IReadOnlyList<MatchedFault> TakeMatching(string operation, string method, string? principal, Func<Fault, bool> filter)
    {
        lock (_lock)
        {
            var matched = new List<MatchedFault>();
            foreach (var entry in _entries.ToList())
            {
                if (!Matches(entry.Rule, operation, method, principal) || !filter(entry.Rule.Fault))
                {
                    continue;
                }

                if (!entry.Rule.Fault.OnlyAffectsPace && matched.Any(m => !m.Fault.OnlyAffectsPace))
                {
                    continue;
                }

                matched.Add(new MatchedFault(entry.Rule.Fault, entry.Cleared.Token));
                CountDownLocked(entry);
            }
            return matched;
        }
    }

    private void CountDownLocked(Entry entry)
    {
        if (entry.Rule.Times is not { } times)
        {
            return;
        }

        entry.Rule = entry.Rule with { Times = times - 1 };
        if (times > 1)
        {
            return;
        }

        _entries.Remove(entry);
        _exhausted.Add(entry);
    }

    private static bool Matches(FaultRule rule, string operation, string method, string? principal) =>
        (rule.Method is null || string.Equals(rule.Method, method, StringComparison.OrdinalIgnoreCase))
        && (rule.Role is null || principal?.Contains($":assumed-role/{rule.Role}/", StringComparison.Ordinal) == true)
        && (rule.Operation == operation
            || (rule.Operation == Operations.RegistryAny && operation.StartsWith("registry:", StringComparison.Ordinal)));

    private sealed class Entry(FaultRule rule)
    {
        public FaultRule Rule { get; set; } = rule;
        public CancellationTokenSource Cleared { get; } = new();
    }
}

/// <summary>A fault that applies to a request, and a token that is cancelled when the fault is cleared.</summary>
internal sealed record MatchedFault(Fault Fault, CancellationToken Cleared);
