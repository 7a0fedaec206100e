using LocalAws.Requests;

namespace LocalAws.Faults;

/// <summary>The faults that are set. A request meets the first that fits and answers, and all that change how an answer comes.</summary>
public sealed class FaultTable
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];

    // Faults whose count is used up: a request may still hang in one of them, and Clear must reach it.
    private readonly List<Entry> _exhausted = [];

    /// <summary>Sets a fault after those already set; the first set is the first met.</summary>
    /// <exception cref="ArgumentException"><paramref name="times"/> is below 1.</exception>
    public void Add(string operation, Fault fault, int? times = null, string? method = null, string? role = null)
    {
        if (times < 1)
        {
            throw new ArgumentException($"A fault happens once or more often, not {times} times: give 1 or more, or leave it out.", nameof(times));
        }

        lock (_lock)
        {
            _entries.Add(new Entry(new FaultRule(operation, fault, times, method, role)));
        }
    }

    /// <summary>The role is not attached yet: 404 where its name is asked for.</summary>
    public void AddMissingRole(int? times = null) =>
        Add(Operations.ImdsRole, new Fault.Error(Status: StatusCodes.Status404NotFound), times);

    /// <summary>What is still set, with what is left of each count.</summary>
    public IReadOnlyList<FaultRule> Snapshot()
    {
        lock (_lock)
        {
            return [.. _entries.Select(e => e.Rule)];
        }
    }

    /// <summary>Forgets the faults of one operation, or all; requests that hang because of them are let go (their connections end).</summary>
    public void Clear(string? operation = null)
    {
        bool Concerned(Entry entry) => operation is null || entry.Rule.Operation == operation;
        List<Entry> cleared;
        lock (_lock)
        {
            cleared = [.. _entries.Concat(_exhausted).Where(Concerned)];
            _entries.RemoveAll(Concerned);
            _exhausted.RemoveAll(Concerned);
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

/// <summary>A fault that a request meets, and the sign that it was cleared meanwhile.</summary>
internal sealed record MatchedFault(Fault Fault, CancellationToken Cleared);
