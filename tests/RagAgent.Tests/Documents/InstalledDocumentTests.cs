using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>On an instance, the documents are in /usr/share/doc/ragagent, without the rest of the repository.</summary>
public sealed partial class InstalledDocumentTests
{
    private static readonly string[] Pages =
        [.. Directory.EnumerateFiles(RepositoryFiles.PathOf("docs"), "*.md").Select(file => Path.GetFileName(file)!).Order()];
    private static readonly string[] Installed = [.. Pages.Except(["README.md", "benchmarks.md"])];

    [Fact]
    public void Installed_documents_link_only_to_installed_documents()
    {
        var links = Installed
            .SelectMany(name => Link().Matches(RepositoryFiles.Read($"docs/{name}")).Select(link => (name, Target: link.Groups[1].Value)))
            .ToArray();

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.Contains(link.Target, Installed));
    }

    [Fact]
    public void The_index_of_the_documents_links_to_each_page()
    {
        var links = Link().Matches(RepositoryFiles.Read("docs/README.md")).Select(link => link.Groups[1].Value);

        Assert.Empty(Pages.Except(["README.md"]).Except(links));
    }

    [Theory]
    [InlineData("packaging/ragagent.json")]
    [InlineData("packaging/ragagent.schema.json")]
    [InlineData("packaging/ragagent.8")]
    [InlineData("docs/messages.md")]   // journalctl shows it
    public void Installed_files_refer_to_documents_by_their_installed_path(string file)
    {
        var text = RepositoryFiles.Read(file);

        Assert.DoesNotMatch(@"(?<![\w/])docs/", text);
        Assert.Empty(InstalledPath().Matches(text).Select(path => path.Groups[1].Value).Except(Installed));
    }

    [Fact]
    public void No_message_of_the_agent_refers_to_a_document_by_its_repository_path()
    {
        var code = Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal));

        Assert.DoesNotContain(code, line => RepositoryPath().IsMatch(line));
    }

    [GeneratedRegex(@"(?<![\w/])docs/")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"/usr/share/doc/ragagent/([a-z.]+\.md)")]
    private static partial Regex InstalledPath();
}
