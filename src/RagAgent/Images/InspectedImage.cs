namespace RagAgent.Images;

/// <summary>What the engine reports about one image.</summary>
/// <param name="Platform">The platform that the image was built for.</param>
/// <param name="Layers">Digests of its unpacked layers, from the bottom up.</param>
internal sealed record InspectedImage(Platform Platform, IReadOnlyList<string> Layers);
