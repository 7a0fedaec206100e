namespace RagAgent.Secrets;

/// <summary>Holds the secrets in memory only, by the fingerprint of their versions.</summary>
internal sealed class SecretVault
{
    private const int MinScrubLength = 6;
    private const int MinScrubLineLength = 12;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyList<LoadedSecret>> _secrets = [];
    private readonly HashSet<string> _otherValues = [];
    private string[] _scrubList = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Adds a value to scrub that is not a secret of the app.</summary>
    public void AddToScrubList(SecretValue value)
    {
        lock (_lock)
        {
            _otherValues.Add(value.Reveal());
            RebuildScrubList();
        }
    }

    public void Store(string fingerprint, IReadOnlyList<LoadedSecret> secrets)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _secrets[fingerprint] = secrets;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            RebuildScrubList();
        }
        changed.SetResult();
    }

    /// <summary>Completes as soon as the vault has the secrets of these versions.</summary>
    public async Task WaitAsync(string fingerprint, CancellationToken stopping)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_secrets.ContainsKey(fingerprint))
                {
                    return;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(stopping);
        }
    }

    /// <returns>The secrets of these versions; null if this process never read them.</returns>
    public IReadOnlyList<LoadedSecret>? Find(string fingerprint)
    {
        lock (_lock)
        {
            return _secrets.GetValueOrDefault(fingerprint);
        }
    }

    /// <summary>Replaces every secret that the vault ever held with <c>***</c>. For output that is shown or logged.</summary>
    public string Scrub(string text)
    {
        string[] pieces;
        lock (_lock)
        {
            pieces = _scrubList;
        }
        return pieces.Aggregate(text, (rest, piece) => rest.Replace(piece, "***", StringComparison.Ordinal));
    }

    /// <summary>Like <see cref="Scrub"/>, for text that was cut off: also replaces the start of a secret at its end.</summary>
    public string ScrubTruncated(string text)
    {
        string[] pieces;
        lock (_lock)
        {
            pieces = _scrubList;
        }
        var scrubbed = Scrub(text);
        for (var length = Math.Min(scrubbed.Length, pieces.Length == 0 ? 0 : pieces[0].Length - 1); length > 0; length--)
        {
            var end = scrubbed[^length..];
            if (pieces.Any(piece => piece.StartsWith(end, StringComparison.Ordinal)))
            {
                return scrubbed[..^length] + "***";
            }
        }
        return scrubbed;
    }

    /// <summary>Longest first: replacing a secret that is the start of another one would leave the other's end.</summary>
    private void RebuildScrubList() =>
        _scrubList = [.. _secrets.Values
            .SelectMany(secrets => secrets)
            .Select(secret => secret.Value.Reveal())
            .Concat(_otherValues)
            .SelectMany(Pieces)
            .Distinct()
            .OrderByDescending(piece => piece.Length)];

    /// <summary>The whole value, also as in the file of <c>st.secrets</c>, and its lines, because output is shown line by line.</summary>
    private static IEnumerable<string> Pieces(string value)
    {
        var lines = value.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Where(line => line.Length >= MinScrubLineLength)
            .Concat([value, value.Trim(), TomlString.Escape(value)])
            .Where(piece => piece.Length >= MinScrubLength);
    }
}
