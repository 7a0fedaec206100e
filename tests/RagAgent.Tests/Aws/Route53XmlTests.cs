using System.Text;
using System.Xml;
using RagAgent.Aws;
using RagAgent.Aws.Dns;
using Xunit;

namespace RagAgent.Tests.Aws;

public class Route53XmlTests
{
    [Fact]
    public void A_change_has_its_elements_in_the_order_that_Route_53_requires() =>
        Assert.Equal(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>" +
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">" +
            "<ChangeBatch><Comment>why</Comment><Changes><Change><Action>UPSERT</Action>" +
            "<ResourceRecordSet><Name>rag.example.com</Name><Type>A</Type><TTL>60</TTL>" +
            "<ResourceRecords><ResourceRecord><Value>203.0.113.7</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>" +
            "</Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
            Encoding.UTF8.GetString(Route53Xml.BuildChangeRequest("why", [("UPSERT", new ResourceRecordSet("rag.example.com", "A", 60, ["203.0.113.7"]))])));

    [Fact]
    public void All_kinds_of_records_are_parsed()
    {
        var sets = Route53Xml.ParseRecordSets(
            "<?xml version=\"1.0\"?>\n" +
            "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceRecordSets>\n" +
            "<ResourceRecordSet><Name>rag.example.com.</Name><Type>A</Type><TTL>60</TTL>" +
            "<ResourceRecords><ResourceRecord><Value>203.0.113.7</Value></ResourceRecord>" +
            "<ResourceRecord><Value>203.0.113.8</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>\n" +
            "<ResourceRecordSet><Name>rag.example.com.</Name><Type>AAAA</Type>" +
            "<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>d1.cloudfront.net.</DNSName>" +
            "<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>\n" +
            "<ResourceRecordSet><Name>www.example.com.</Name><Type>A</Type>" +
            "<SetIdentifier>blue</SetIdentifier><Weight>10</Weight><TTL>60</TTL>" +
            "<ResourceRecords><ResourceRecord><Value>1.1.1.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>\n" +
            "</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>");

        Assert.Equal(
            ["rag.example.com. A 60 203.0.113.7,203.0.113.8  ", "rag.example.com. AAAA   d1.cloudfront.net. ", "www.example.com. A 60 1.1.1.1  blue"],
            sets.Select(set => $"{set.Name} {set.Type} {set.Ttl} {string.Join(',', set.Values)} {set.AliasTarget} {set.SetIdentifier}"));
    }

    [Theory]
    [InlineData("<html>a proxy's page</html>")]
    [InlineData("<ListResourceRecordSetsResponse")]
    [InlineData("")]
    // An entity could include a local file, or expand to gigabytes.
    [InlineData(
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>" +
        "<ListResourceRecordSetsResponse><ResourceRecordSets>&e;</ResourceRecordSets></ListResourceRecordSetsResponse>")]
    public void A_body_that_is_not_a_list_of_records_is_rejected(string body) =>
        Assert.ThrowsAny<XmlException>(() => Route53Xml.ParseRecordSets(body));

    [Theory]
    [InlineData("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>", "AccessDenied", "no")]
    [InlineData(
        "<InvalidChangeBatch xmlns=\"x\"><Messages><Message>one</Message><Message>two</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>",
        "InvalidChangeBatch", "one")]
    [InlineData("<html>a page</html>", null, null)]
    [InlineData("<ErrorResponse><Error><Code>Thrott", null, null)]
    public void Both_error_formats_are_parsed(string body, string? code, string? message) =>
        Assert.Equal((code, message), AwsXml.ParseError(body));
}
