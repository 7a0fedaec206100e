using RagAgent.Configuration;

namespace RagAgent.Secrets;

/// <summary>One secret as it was read.</summary>
/// <param name="Variable">The environment variable that the app reads.</param>
/// <param name="Value">Its text.</param>
/// <param name="Delivery">How the app gets it.</param>
internal sealed record HeldSecret(string Variable, SecretValue Value, SecretDelivery Delivery);

/// <summary>Holds the secrets that were read, in memory only, by the fingerprint of their versions.</summary>
internal sealed class SecretVault
{
    private const int ShortestToScrub = 6;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IReadOnlyList<HeldSecret>> _held = [];

    public void Hold(string fingerprint, IReadOnlyList<HeldSecret> secrets)
    {
        lock (_lock)
        {
            _held[fingerprint] = secrets;
        }
    }

    /// <returns>The secrets of these versions; null when they were never read by this process.</returns>
    public IReadOnlyList<HeldSecret>? Find(string fingerprint)
    {
        lock (_lock)
        {
            return _held.GetValueOrDefault(fingerprint);
        }
    }

    /// <summary>Replaces every secret ever held by <c>***</c>: for output of the app and of others that is shown or logged.</summary>
    public string Scrub(string text)
    {
        lock (_lock)
        {
            foreach (var value in _held.Values.SelectMany(all => all).Select(one => one.Value.Reveal()))
            {
                if (value.Length >= ShortestToScrub)
                {
                    text = text.Replace(value, "***", StringComparison.Ordinal);
                }
            }
        }
        return text;
    }
}
