using CsCheck;
using RagAgent.Streamlit;
using Xunit;

namespace RagAgent.Tests.Streamlit;

public class BrowserMessageTests
{
    [Theory]
    [InlineData("5A00", BrowserMessage.Rerun)]
    [InlineData("5A0412003001", BrowserMessage.AutomaticRerun)]
    [InlineData("5A0412003000", BrowserMessage.Rerun)]
    [InlineData("5A0430013000", BrowserMessage.Rerun)]   // the last one counts
    [InlineData("6200", BrowserMessage.Automatic)]
    [InlineData("8A0100", BrowserMessage.Automatic)]
    [InlineData("3801", BrowserMessage.Other)]
    [InlineData("F80701", BrowserMessage.Other)]
    [InlineData("", BrowserMessage.Other)]
    [InlineData("5A05", BrowserMessage.Unreadable)]
    [InlineData("5A02FFFF", BrowserMessage.Unreadable)]
    [InlineData("68656C6C6F", BrowserMessage.Unreadable)]
    public void A_message_says_who_caused_it(string bytes, object expected) =>
        Assert.Equal(expected, BrowserMessages.Read(Convert.FromHexString(bytes)));

    [Fact]
    public void Any_bytes_end_in_an_answer() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            _ = BrowserMessages.Read(bytes);
            _ = RunMessage.Read(bytes).Kind;
        }, iter: 20_000);
}
