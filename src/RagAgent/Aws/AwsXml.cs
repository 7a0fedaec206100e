using System.Xml;
using System.Xml.Linq;

namespace RagAgent.Aws;

/// <summary>What the services that speak XML answer.</summary>
internal static class AwsXml
{
    // No entity is ever resolved: what answers may be a proxy, or nobody that we know.
    private static readonly XmlReaderSettings SafeSettings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };

    /// <exception cref="XmlException">It is none.</exception>
    public static XDocument Parse(string body)
    {
        using var reader = XmlReader.Create(new StringReader(body), SafeSettings);
        return XDocument.Load(reader);
    }

    /// <summary>The code and the words of an error; null where there is none.</summary>
    /// <remarks>Route 53 has a second form for a batch that it refuses: <c>InvalidChangeBatch</c> with a message for each change.</remarks>
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
                    // Each but the first leaves the reader behind the element.
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
            // A proxy's page, or cut off: what was read so far is what there is.
        }
        return (code, message);
    }
}
