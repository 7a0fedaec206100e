using CsCheck;
using RagAgent.Common;
using RagAgent.Images;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Images;

public class DiskPreflightTests
{
    private const string Ref = "registry/app:latest";
    private static readonly Layer[] Layers = [new("sha256:a", 900_000_000), new("sha256:b", 90_000_000), new("sha256:c", 10_000_000)];
    private static readonly string[] DiffIds = ["A", "B", "C"];

    [Theory]
    [InlineData("", 1_000_000_000)]
    [InlineData("X", 1_000_000_000)]
    [InlineData("A", 100_000_000)]
    [InlineData("A B", 10_000_000)]
    [InlineData("A B C", 0)]
    [InlineData("A B C D", 0)]
    [InlineData("A X C", 100_000_000)]
    [InlineData("B C", 1_000_000_000)]   // the engine does not reuse layers on top of other layers
    [InlineData("X|A|A B", 10_000_000)]
    public void Layers_are_missing_unless_an_image_on_disk_has_them_on_top_of_the_same_layers(string onDisk, long missing) =>
        Assert.Equal(
            missing,
            DiskPreflight.MissingBytes(Layers, DiffIds, onDisk.Split('|').Select(image => image.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    [Fact]
    public void A_layer_that_occurs_twice_is_counted_once() =>
        Assert.Equal(1_000_000_000, DiskPreflight.MissingBytes([.. Layers, Layers[0]], [.. DiffIds, "A"], []));

    [Fact]
    public void A_config_blob_that_does_not_match_its_manifest_is_ignored() =>
        Assert.Equal(1_000_000_000, DiskPreflight.MissingBytes(Layers, ["A", "B"], [["A", "B", "C"]]));

    [Theory]
    [InlineData(1_000_000_000, 3_256_000_000)]
    [InlineData(1, 256_000_003)]
    [InlineData(0, 0)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void A_pull_needs_three_times_the_missing_bytes_and_a_reserve(long missing, long needed) =>
        Assert.Equal(needed, DiskPreflight.RequiredBytes(missing));

    [Fact]
    public void An_image_that_does_not_fit_is_refused_with_the_figures()
    {
        var problem = AssertProblem.Thrown(() => DiskPreflight.RequireSpace(1_000_000_000, new FreeSpace("/var/lib/docker", 3_255_999_999), Ref));

        Assert.Equal(new Problem(ProblemCatalog.DiskFull,
            "Pulling registry/app:latest needs 3.3 GB of disk space (1.0 GB of layers, their unpacked files and a reserve), but only 3.3 GB are free on /var/lib/docker.",
            "Free some space ('docker system df' shows what the engine uses) or enlarge the volume. " + ExceptionMapping.RetriesAutomatically), problem);
    }

    [Fact]
    public void An_image_that_just_fits_and_an_unknown_disk_are_accepted()
    {
        DiskPreflight.RequireSpace(1_000_000_000, new FreeSpace("/var/lib/docker", 3_256_000_000), Ref);
        DiskPreflight.RequireSpace(long.MaxValue, null, Ref);
        DiskPreflight.RequireSpace(0, new FreeSpace("/var/lib/docker", 0), Ref);
    }

    [Fact]
    public void The_required_space_is_a_number_whatever_a_manifest_claims() =>
        Gen.Select(Gen.Long, Gen.Long, Gen.Int[0, 3]).Sample(t =>
        {
            Layer[] layers = [new("sha256:a", t.Item1), new("sha256:b", t.Item2)];
            return DiskPreflight.RequiredBytes(DiskPreflight.MissingBytes(layers, DiffIds[..2], [DiffIds[..t.Item3]])) >= 0;
        });
}
