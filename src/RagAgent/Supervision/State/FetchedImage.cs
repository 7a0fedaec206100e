namespace RagAgent.Supervision.State;

/// <summary>An image that is on this machine's disk.</summary>
/// <param name="Digest">Its manifest digest.</param>
/// <param name="PulledBytes">Bytes that had to be transferred for it; 0 when it was there already.</param>
internal sealed record FetchedImage(string Digest, long PulledBytes);
