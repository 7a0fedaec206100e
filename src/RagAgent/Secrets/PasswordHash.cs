using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace RagAgent.Secrets;

/// <summary>
/// A password's hash: <c>$pbkdf2-sha256$i=600000$SALT$HASH</c>, or with <c>sha512</c>. Salt and hash are base64 without padding.
/// </summary>
internal sealed class PasswordHash
{
    /// <summary>The default of <see cref="Create"/>: what OWASP recommends for SHA-256.</summary>
    public const int DefaultIterations = 600_000;

    /// <summary>Fewer would make it too easy to guess passwords offline.</summary>
    public const int MinIterations = 100_000;

    /// <summary>More would keep a small machine busy for seconds with each attempt.</summary>
    public const int MaxIterations = 5_000_000;

    private const int MinSaltLength = 8;
    private const int MaxSaltLength = 64;

    private readonly HashAlgorithmName _algorithm;
    private readonly int _iterations;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(HashAlgorithmName algorithm, int iterations, byte[] salt, byte[] hash) =>
        (_algorithm, _iterations, _salt, _hash) = (algorithm, iterations, salt, hash);

    /// <summary>Hashes a password with a new random salt.</summary>
    /// <param name="password">Any text.</param>
    /// <param name="iterations">From <see cref="MinIterations"/> to <see cref="MaxIterations"/>.</param>
    public static string Create(string password, int iterations = DefaultIterations)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var hash = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        return string.Create(
            CultureInfo.InvariantCulture, $"$pbkdf2-sha256$i={iterations}${ToUnpaddedBase64(salt)}${ToUnpaddedBase64(hash)}");
    }

    /// <param name="text">Any text, from any source.</param>
    /// <returns>Null if the text is not such a hash, or is outside the limits above.</returns>
    public static PasswordHash? Parse(string text)
    {
        if (text.Split('$') is not ["", var name, ['i', '=', .. var count], var saltText, var hashText] ||
            ParseAlgorithm(name) is not var (algorithm, length) ||
            !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) ||
            iterations is < MinIterations or > MaxIterations ||
            FromUnpaddedBase64(saltText) is not { Length: >= MinSaltLength and <= MaxSaltLength } salt ||
            FromUnpaddedBase64(hashText) is not { } hash || hash.Length != length)
        {
            return null;
        }
        return new PasswordHash(algorithm, iterations, salt, hash);
    }

    /// <summary>Takes a large part of a second of one CPU, whether the password is right or wrong.</summary>
    public bool Verify(string password) => CryptographicOperations.FixedTimeEquals(
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), _salt, _iterations, _algorithm, _hash.Length), _hash);

    /// <summary>
    /// Derives a key from the hash, a different one for each purpose. It survives a restart, but not a change of the password.
    /// </summary>
    public byte[] DeriveKey(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _hash, 32, _salt, Encoding.UTF8.GetBytes(purpose));

    public override string ToString() => "***";

    private static (HashAlgorithmName Name, int Length)? ParseAlgorithm(string name) => name switch
    {
        "pbkdf2-sha256" => (HashAlgorithmName.SHA256, SHA256.HashSizeInBytes),
        "pbkdf2-sha512" => (HashAlgorithmName.SHA512, SHA512.HashSizeInBytes),
        _ => null,
    };

    private static string ToUnpaddedBase64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[]? FromUnpaddedBase64(string base64)
    {
        var bytes = new byte[MaxSaltLength + SHA512.HashSizeInBytes];
        var padded = base64.TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        return padded.Length > 0 && !padded.Any(char.IsWhiteSpace) && Convert.TryFromBase64String(padded, bytes, out var length)
            ? bytes[..length]
            : null;
    }
}
