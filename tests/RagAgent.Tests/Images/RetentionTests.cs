using RagAgent.Images;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.Tests.Images;

public class RetentionTests
{
    private const string Repository = "registry.example:5000/team/app";
    private static readonly ImageName Kept = new(Repository, "sha256:kept");

    [Fact]
    public void Images_of_the_app_are_removed_by_all_their_names_tags_first()
    {
        var old = new LocalImage("1", [$"{Repository}:v1", $"{Repository}:v2"], [$"{Repository}@sha256:old"], 5);

        Assert.Equal([(old, $"{Repository}:v1 {Repository}:v2 {Repository}@sha256:old")], Removable([old]));
    }

    [Fact]
    public void An_image_with_only_a_digest_or_only_a_tag_is_removed_by_it()
    {
        var untagged = new LocalImage("1", [], [$"{Repository}@sha256:old"], 5);
        var built = new LocalImage("2", [$"{Repository}:mine"], [], 5);

        Assert.Equal([(untagged, $"{Repository}@sha256:old"), (built, $"{Repository}:mine")], Removable([untagged, built]));
    }

    [Fact]
    public void An_image_to_keep_stays_with_all_its_names() =>
        Assert.Empty(Removable([new LocalImage("1", [$"{Repository}:latest"], [$"{Repository}@sha256:other", Kept.ToString()], 5)]));

    [Fact]
    public void An_image_that_a_container_uses_stays() => Assert.Empty(Removable([new LocalImage("used", [], [$"{Repository}@sha256:old"], 5)]));

    [Theory]
    [InlineData("registry.example:5000/team/app2:latest")]
    [InlineData("registry.example:5000/team/app/sub:latest")]
    [InlineData("other.example/team/app:latest")]
    [InlineData("team/app:latest")]
    [InlineData("registry.example:5000/team/app-data@sha256:old")]
    [InlineData("<none>:<none>")]
    [InlineData("<none>@<none>")]
    public void Images_of_other_repositories_stay(string name) =>
        Assert.Empty(Removable([name.Contains('@') ? new LocalImage("1", [], [name], 5) : new LocalImage("1", [name], [], 5)]));

    [Fact]
    public void An_image_with_names_in_other_repositories_loses_only_the_names_of_the_app()
    {
        var both = new LocalImage("1", ["mine:latest", $"{Repository}:old"], [$"{Repository}@sha256:old", "mirror.example/app@sha256:old"], 5);

        Assert.Equal([(both, $"{Repository}:old {Repository}@sha256:old")], Removable([both]));
    }

    [Theory]
    [InlineData("docker.io/library/nginx", "nginx:1", true)]
    [InlineData("docker.io/team/app", "team/app:1", true)]
    [InlineData("docker.io/team/app", "app:1", false)]
    [InlineData("localhost:5000/app", "localhost:5000/app:1", true)]
    [InlineData("localhost", "localhost:5000/app", false)]
    public void Docker_Hub_images_are_found_by_the_short_names_that_the_engine_lists(string repository, string tag, bool ours) =>
        Assert.Equal(ours, Retention.Removable([new LocalImage("1", [tag], [], 5)], new HashSet<string>(), [repository], []).Count == 1);

    [Fact]
    public void Without_a_repository_nothing_is_removed() =>
        Assert.Empty(Retention.Removable([new LocalImage("1", ["a:b"], [], 5)], new HashSet<string>(), [], []));

    private static IEnumerable<(LocalImage, string)> Removable(IReadOnlyList<LocalImage> images) =>
        Retention.Removable(images, new HashSet<string> { "used" }, [Repository], [Kept]).Select(r => (r.Image, string.Join(' ', r.Names)));
}
