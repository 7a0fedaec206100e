using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>The documents as they are on an instance: in /usr/share/doc/ragagent, without the rest of the repository.</summary>
public sealed partial class InstalledDocumentTests
{
    private static readonly string[] Pages =
        [.. Directory.EnumerateFiles(RepositoryFiles.PathOf("docs"), "*.md").Select(file => Path.GetFileName(file)!).Order()];
    private static readonly string[] Installed = [.. Pages.Except(["README.md", "benchmarks.md"])];

    [Fact]
    public void A_document_links_only_to_what_is_installed_with_it()
    {
        var links = Installed.SelectMany(name => Link().Matches(RepositoryFiles.Read($"docs/{name}")).Select(link => (name, To: link.Groups[1].Value))).ToArray();

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.Contains(link.To, Installed));
    }

    [Fact]
    public void The_index_links_to_each_page()
    {
        var links = Link().Matches(RepositoryFiles.Read("docs/README.md")).Select(link => link.Groups[1].Value);

        Assert.Empty(Pages.Except(["README.md"]).Except(links));
    }

    [Theory]
    [InlineData("packaging/ragagent.json")]
    [InlineData("packaging/ragagent.schema.json")]
    [InlineData("packaging/ragagent.8")]
    [InlineData("docs/messages.md")]   // journalctl shows it
    public void What_is_read_on_an_instance_names_a_document_by_its_place_there(string file)
    {
        var text = RepositoryFiles.Read(file);

        Assert.DoesNotMatch(@"(?<![\w/])docs/", text);
        Assert.Empty(Place().Matches(text).Select(place => place.Groups[1].Value).Except(Installed));
    }

    [Fact]
    public void No_sentence_of_the_agents_names_a_document_by_its_place_in_the_repository() =>
        Assert.DoesNotContain(
            Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories).SelectMany(File.ReadLines).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)),
            line => RepositoryPlace().IsMatch(line));

    [GeneratedRegex(@"(?<![\w/])docs/")]
    private static partial Regex RepositoryPlace();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"/usr/share/doc/ragagent/([a-z.]+\.md)")]
    private static partial Regex Place();
}
