using RagAgent.Configuration;

namespace RagAgent.Secrets;

/// <summary>One secret as it was read.</summary>
/// <param name="Variable">The environment variable that the app reads.</param>
/// <param name="Value">Its text.</param>
/// <param name="Delivery">How the app gets it.</param>
internal sealed record LoadedSecret(string Variable, SecretValue Value, SecretDelivery Delivery);

/// <summary>Holds the secrets that were read, in memory only, by the fingerprint of their versions.</summary>
internal sealed class SecretVault
{
    private const int MinScrubLength = 6;
    private const int MinScrubLineLength = 12;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyList<LoadedSecret>> _secrets = [];
    private readonly HashSet<string> _otherValues = [];
    private string[] _scrubList = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Has a value scrubbed that is not for the app.</summary>
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

    /// <summary>Returns once the secrets of these versions are held: at once when they are.</summary>
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

    /// <returns>The secrets of these versions; null when they were never read by this process.</returns>
    public IReadOnlyList<LoadedSecret>? Find(string fingerprint)
    {
        lock (_lock)
        {
            return _secrets.GetValueOrDefault(fingerprint);
        }
    }

    /// <summary>Replaces every secret ever held by <c>***</c>: for output of the app and of others that is shown or logged.</summary>
    public string Scrub(string text)
    {
        string[] pieces;
        lock (_lock)
        {
            pieces = _scrubList;
        }
        return pieces.Aggregate(text, (rest, piece) => rest.Replace(piece, "***", StringComparison.Ordinal));
    }

    /// <summary>The same for a text whose end was cut off: an end of it that is the beginning of a secret goes, too.</summary>
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

    /// <summary>The longest first: one that begins like another would leave the other's end.</summary>
    private void RebuildScrubList() =>
        _scrubList = [.. _secrets.Values.SelectMany(all => all).Select(one => one.Value.Reveal()).Concat(_otherValues).SelectMany(Pieces).Distinct().OrderByDescending(piece => piece.Length)];

    /// <summary>The whole value, and its lines: output is shown line by line.</summary>
    private static IEnumerable<string> Pieces(string value)
    {
        var lines = value.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Where(line => line.Length >= MinScrubLineLength).Append(value).Where(piece => piece.Length >= MinScrubLength);
    }
}
