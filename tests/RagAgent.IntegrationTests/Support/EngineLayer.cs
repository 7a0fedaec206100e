using System.Security.Cryptography;
using System.Text;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A layer of an image in the engine's own image store (overlay2): its record and the folder with its files.</summary>
internal sealed record EngineLayer(string Record, string Folder)
{
    /// <summary>The image's layers, lowest first.</summary>
    public static async Task<IReadOnlyList<EngineLayer>> ListAsync(PrivateEngine engine, string image)
    {
        var ids = PrivateEngine.Lines(await engine.Docker.RunCheckedAsync("image", "inspect", "--format", "{{range .RootFS.Layers}}{{println .}}{{end}}", image));
        var layers = new List<EngineLayer>();
        string? chain = null;
        foreach (var id in ids)
        {
            chain = chain is null ? id : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{chain} {id}")));
            var record = Path.Combine(engine.Data, "image/overlay2/layerdb/sha256", chain["sha256:".Length..]);
            layers.Add(new EngineLayer(
                record, Path.Combine(engine.Data, "overlay2", await File.ReadAllTextAsync(Path.Combine(record, "cache-id")))));
        }
        return layers;
    }

    /// <summary>Breaks the layer as a power cut or a careless person would.</summary>
    public void Corrupt(string what)
    {
        switch (what)
        {
            case "the folder of the layer":
                Directory.Delete(Folder, recursive: true);
                break;
            case "what is in the layer":
                Directory.Delete(Path.Combine(Folder, "diff"), recursive: true);
                break;
            case "its short name":
                File.Delete(Path.Combine(Folder, "link"));
                break;
            case "the link to it":
                File.Delete(Path.Combine(Path.GetDirectoryName(Folder)!, "l", File.ReadAllText(Path.Combine(Folder, "link"))));
                break;
            case "an empty list of the layers below":
                File.WriteAllText(Path.Combine(Folder, "lower"), "");
                break;
            default:
                throw new ArgumentException(what);
        }
    }
}
