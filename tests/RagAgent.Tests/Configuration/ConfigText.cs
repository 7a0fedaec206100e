using System.Text;
using RagAgent.Configuration;
using Xunit;

namespace RagAgent.Tests.Configuration;

/// <summary>Short words for the tests of the reader.</summary>
internal static class ConfigText
{
    public const string FileName = "ragagent.json";

    public static ConfigResult Read(string text) => ConfigReader.Read(Encoding.UTF8.GetBytes(text), FileName);

    /// <summary>A valid file with more members, on its first line.</summary>
    public static string ConfigWith(string members) => $$"""{ "image": "app", {{members}} }""";

    public static AgentConfig AssertAccepted(string text)
    {
        var result = Read(text);
        Assert.Empty(result.Errors);
        Assert.NotNull(result.Config);
        return result.Config;
    }

    /// <summary>Every problem without file, line and column: <c>key: message</c>.</summary>
    public static string[] AssertRejected(string text)
    {
        var result = Read(text);
        Assert.Null(result.Config);
        Assert.NotEmpty(result.Errors);
        return [.. result.Errors.Select(problem => problem.Key is null ? problem.Message : $"{problem.Key}: {problem.Message}")];
    }

    /// <summary>The only problem.</summary>
    public static string AssertSingleError(string text) => Assert.Single(AssertRejected(text));

    /// <summary>Every problem as the operator sees it.</summary>
    public static string[] ErrorLines(string text) => [.. Read(text).Errors.Select(problem => problem.ToString())];
}
