using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>Links between documents lead to files and headings that exist.</summary>
public sealed partial class DocumentLinkTests
{
    private static readonly string Root = RepositoryFiles.PathOf(".");

    private static readonly string[] Documents =
    [
        RepositoryFiles.PathOf("README.md"), RepositoryFiles.PathOf("CONTRIBUTING.md"),
        .. Directory.EnumerateFiles(RepositoryFiles.PathOf("docs"), "*.md", SearchOption.AllDirectories),
        .. Directory.EnumerateFiles(RepositoryFiles.PathOf("tests"), "README.md", SearchOption.AllDirectories),
    ];

    [Fact]
    public void Every_link_between_documents_leads_to_a_file_and_heading_that_exist()
    {
        var links = Documents.SelectMany(LinksIn).ToArray();

        Assert.Contains(links, link => link.Anchor != "");
        Assert.Empty(links.Where(link => !Exists(link.Target, link.Anchor)).Select(link => $"{link.Document}: {link.Text}"));
    }

    private static IEnumerable<(string Document, string Text, string Target, string Anchor)> LinksIn(string document) =>
        from link in Link().Matches(File.ReadAllText(document))
        let path = link.Groups["path"].Value
        let target = path == "" ? document : Path.GetFullPath(path, Path.GetDirectoryName(document)!)
        select (Path.GetRelativePath(Root, document), link.Value, target, link.Groups["anchor"].Value);

    private static bool Exists(string target, string anchor) =>
        anchor == "" ? File.Exists(target) || Directory.Exists(target) : File.Exists(target) && AnchorsOf(target).Contains(anchor);

    // As GitHub makes them: lower case, hyphens for spaces, no other punctuation.
    private static HashSet<string> AnchorsOf(string document) =>
        [.. Heading().Matches(File.ReadAllText(document))
            .Select(heading => Punctuation().Replace(heading.Groups[1].Value, "").ToLowerInvariant().Replace(' ', '-'))];

    [GeneratedRegex(@"\]\((?!https?:|mailto:)(?<path>[^)#\s]*)(#(?<anchor>[^)\s]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+?) *$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}_ -]")]
    private static partial Regex Punctuation();
}
