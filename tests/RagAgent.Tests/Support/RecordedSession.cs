using System.Buffers.Binary;

namespace RagAgent.Tests.Support;

/// <summary>What real Streamlit sent in one session. tests/streamlit/record.sh records it.</summary>
internal static class RecordedSession
{
    /// <param name="name">The version and the app, such as <c>1.67.0-plain</c>.</param>
    /// <returns>The messages. In the file, each has its length before it, in four bytes.</returns>
    public static IReadOnlyList<byte[]> Read(string name)
    {
        var bytes = File.ReadAllBytes(RepositoryFiles.PathOf($"tests/RagAgent.Tests/Health/Streamlit/{name}.frames"));
        var messages = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
            messages.Add(bytes[(at + 4)..(at + 4 + length)]);
            at += 4 + length;
        }
        return messages;
    }
}
