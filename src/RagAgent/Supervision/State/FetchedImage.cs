namespace RagAgent.Supervision.State;

/// <summary>An image that was fetched.</summary>
/// <param name="Digest">Its manifest digest.</param>
/// <param name="PulledBytes">Bytes that had to be transferred for it; 0 when it was already on disk.</param>
internal sealed record FetchedImage(string Digest, long PulledBytes);
