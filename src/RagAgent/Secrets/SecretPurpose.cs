namespace RagAgent.Secrets;

/// <summary>What a secret is for, as far as a remedy must say it.</summary>
/// <param name="ConfigKey">The configuration key that names the secret.</param>
/// <param name="FileName">The local file in example commands that store the secret.</param>
/// <param name="Preparation">What to do before storing the secret, as a sentence with a space at its end; empty for nothing.</param>
internal sealed record SecretPurpose(string ConfigKey, string FileName, string Preparation = "")
{
    /// <summary>A secret of the app.</summary>
    public static SecretPurpose App { get; } = new("secrets", "key.txt");

    /// <summary>The hash of the password that protects the front door.</summary>
    public static SecretPurpose Password { get; } =
        new("access.password", "hash.txt", "Make the hash with 'ragagent password > hash.txt'. ");
}
