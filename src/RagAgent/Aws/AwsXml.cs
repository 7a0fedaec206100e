using System.Xml;
using System.Xml.Linq;

namespace RagAgent.Aws;

/// <summary>Parses the responses of services that speak XML.</summary>
internal static class AwsXml
{
    // Never resolve entities: the response may come from a proxy or from someone unknown.
    private static readonly XmlReaderSettings SafeSettings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };

    /// <exception cref="XmlException">The body is not XML.</exception>
    public static XDocument Parse(string body)
    {
        using var reader = XmlReader.Create(new StringReader(body), SafeSettings);
        return XDocument.Load(reader);
    }

    /// <summary>The code and the message of an error; null for what is missing.</summary>
    /// <remarks>Route 53 has a second format for a refused batch: <c>InvalidChangeBatch</c> with a message for each change.</remarks>
    public static (string? Code, string? Message) ParseError(string body)
    {
        string? code = null, message = null;
        try
        {
            using var xml = XmlReader.Create(new StringReader(body), SafeSettings);
            while (!xml.EOF)
            {
                switch (xml.NodeType, xml.LocalName)
                {
                    // All cases but the first leave the reader after the element.
                    case (XmlNodeType.Element, "InvalidChangeBatch") when xml.Depth == 0:
                        code = xml.LocalName;
                        xml.Read();
                        break;
                    case (XmlNodeType.Element, "Code") when code is null:
                        code = xml.ReadElementContentAsString();
                        break;
                    case (XmlNodeType.Element, "Message") when message is null:
                        message = xml.ReadElementContentAsString();
                        break;
                    default:
                        xml.Read();
                        break;
                }
            }
        }
        catch (XmlException)
        {
            // A proxy's page, or a truncated response: keep what was read so far.
        }
        return (code, message);
    }
}
