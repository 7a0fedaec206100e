using System.Runtime.Versioning;

// The agent supports only Linux, and so do its tests.
[assembly: SupportedOSPlatform("linux")]
