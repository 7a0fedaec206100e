using System.Runtime.Versioning;

// The agent is built for Linux alone, and says so; its tests run where it runs.
[assembly: SupportedOSPlatform("linux")]
