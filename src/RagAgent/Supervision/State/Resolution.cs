namespace RagAgent.Supervision.State;

/// <summary>What a tag meant when the registry was asked.</summary>
/// <param name="Reference">As an operator writes it, <c>host/repository:tag</c>.</param>
/// <param name="Image">The manifest for this machine's platform: what is pulled, run, labelled and reported.</param>
/// <param name="TagDigest">What the tag itself points to; another digest than the image's when that is an index.</param>
internal sealed record Resolution(string Reference, ImageName Image, string TagDigest);
