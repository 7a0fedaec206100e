namespace RagAgent.Supervision.State;

/// <summary>What a tag pointed to when it was resolved.</summary>
/// <param name="Reference">As written in the configuration, <c>host/repository:tag</c>.</param>
/// <param name="Image">The manifest for this machine's platform: what is pulled, run, labelled and reported.</param>
/// <param name="TagDigest">What the tag itself points to; another digest than the image's when that is an index.</param>
internal sealed record Resolution(string Reference, ImageName Image, string TagDigest);
