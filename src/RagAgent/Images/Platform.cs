using System.Runtime.InteropServices;

namespace RagAgent.Images;

/// <summary>An operating system and an architecture, named as in image manifests.</summary>
internal sealed record Platform(string Os, string Architecture)
{
    public static Platform Current { get; } = new("linux", RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    });

    public override string ToString() => $"{Os}/{Architecture}";
}
