using System.Text;
using RagAgent.Configuration;
using Xunit;

namespace RagAgent.Tests.Configuration;

/// <summary>Helpers for tests of the reader.</summary>
internal static class ConfigText
{
    public const string FileName = "ragagent.json";

    public static ConfigResult Read(string text) => ConfigReader.Read(Encoding.UTF8.GetBytes(text), FileName);

    /// <summary>A valid file, on one line, with additional members.</summary>
    public static string ConfigWith(string members) => $$"""{ "image": "app", {{members}} }""";

    public static AgentConfig AssertAccepted(string text)
    {
        var result = Read(text);
        Assert.Empty(result.Errors);
        Assert.NotNull(result.Config);
        return result.Config;
    }

    /// <summary>All errors without file, line and column: <c>key: message</c>.</summary>
    public static string[] AssertRejected(string text)
    {
        var result = Read(text);
        Assert.Null(result.Config);
        Assert.NotEmpty(result.Errors);
        return [.. result.Errors.Select(error => error.Key is null ? error.Message : $"{error.Key}: {error.Message}")];
    }

    public static string AssertSingleError(string text) => Assert.Single(AssertRejected(text));

    /// <summary>All errors as operators see them.</summary>
    public static string[] ErrorLines(string text) => [.. Read(text).Errors.Select(error => error.ToString())];
}
