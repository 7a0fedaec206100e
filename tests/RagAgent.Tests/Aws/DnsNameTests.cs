using RagAgent.Aws.Dns;
using Xunit;

namespace RagAgent.Tests.Aws;

public class DnsNameTests
{
    [Theory]
    [InlineData("rag.example.com", "rag.example.com.")]
    [InlineData("RAG.example.com.", "rag.Example.COM")]
    [InlineData("*.example.com", "\\052.example.com.")]
    [InlineData("a\\137b.example.com", "a_b.example.com.")]
    public void Different_spellings_of_one_name_are_equal(string one, string other) => Assert.True(DnsName.AreEqual(one, other));

    [Theory]
    [InlineData("rag.example.com", "rag.example.org.")]
    [InlineData("rag.example.com", "grag.example.com")]
    [InlineData("rag.example.com", "rag.example.com..")]
    [InlineData("*.example.com", "rag.example.com")]
    public void Different_names_are_not_equal(string one, string other) => Assert.False(DnsName.AreEqual(one, other));

    [Theory]
    [InlineData("", "")]
    [InlineData(".", "")]
    [InlineData("a\\05", "a\\05")]
    [InlineData("a\\089.", "a\\089")]   // no octal digits
    [InlineData("\\052", "*")]
    public void Text_that_is_not_an_escape_stays_unchanged(string name, string plain) => Assert.Equal(plain, DnsName.Normalize(name));
}
