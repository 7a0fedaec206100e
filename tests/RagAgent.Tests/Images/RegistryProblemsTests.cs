using System.Net;
using CsCheck;
using RagAgent.Common;
using RagAgent.Images;
using Xunit;

namespace RagAgent.Tests.Images;

public class RegistryProblemsTests
{
    private const string Ref = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:latest";
    private const string Wrapped = "pull access denied for 123456789012.dkr.ecr.eu-central-1.amazonaws.com/app, repository does not exist or may require 'docker login': ";
    private const string Expired = "denied: Your authorization token has expired. Reauthenticate and try again.";
    private const string Denial =
        "denied: User: arn:aws:sts::123456789012:assumed-role/rag/i-0abc is not authorized to perform: ecr:BatchGetImage " +
        "on resource: arn:aws:ecr:eu-central-1:123456789012:repository/app " +
        "because no identity-based policy allows the ecr:BatchGetImage action";
    private const string NoRepository = "name unknown: The repository with name 'app' does not exist in the registry with id '123456789012'";
    private const string Store = "https://bucket.s3.eu-central-1.amazonaws.com/1-2/layer";
    private const string NoTag = "manifest unknown: Requested image not found";

    [Theory]
    // An engine with its own image store wraps the message in a text that fits four different causes.
    [InlineData(Wrapped + Expired, "registry-token-refused", "The registry refused the token for " + Ref + ": ")]
    [InlineData("no basic auth credentials", "registry-token-refused", "The registry refused the token for " + Ref + ": no basic auth credentials.")]
    [InlineData("Head \"https://x/v2/app/manifests/latest\": no basic auth credentials", "registry-token-refused", "The registry refused the token for ")]
    [InlineData("unauthorized: authentication required", "registry-token-refused", "The registry refused the token for ")]
    [InlineData(
        "repository 123456789012.dkr.ecr.eu-central-1.amazonaws.com/app not found: " + NoRepository, "registry-repository-missing",
        "The repository of " + Ref + " does not exist: ")]
    [InlineData("manifest for " + Ref + " not found: " + NoTag, "registry-tag-missing", Ref + " does not exist: the repository has no such tag.")]
    [InlineData(Wrapped + Denial, "registry-denied", "The instance role may not pull " + Ref + ": ")]
    [InlineData("toomanyrequests: Rate exceeded", "registry-throttled", "The registry is throttling requests for " + Ref + ".")]
    [InlineData("failed to register layer: write /a: no space left on device", "disk-full", "Pulling " + Ref + " failed: the disk is full.")]
    [InlineData(
        "filesystem layer verification failed for digest sha256:aa", "registry",
        "Could not get " + Ref + " from the registry: filesystem layer verification failed for digest sha256:aa.")]
    [InlineData("no matching manifest for linux/amd64 in the manifest list entries", "image-platform", Ref + " has no image for this machine: ")]
    [InlineData(
        "Get \"https://x/v2/\": dial tcp: lookup x: no such host", "registry",
        "Could not get " + Ref + " from the registry: Get \"https://x/v2/\": dial tcp: lookup x: no such host.")]
    // The data lies elsewhere: in S3.
    [InlineData(
        "error pulling image configuration: Get \"" + Store + "?X-Amz-Signature=abc\": dial tcp 10.0.0.1:443: connect: connection refused",
        "registry-storage-unreachable", "The host that keeps the image's data, bucket.s3.eu-central-1.amazonaws.com, can't be reached: the connection was refused. The")]
    [InlineData(
        "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"" + Store + "?X-Amz-Signature=abc\": dial tcp 10.0.0.1:443: i/o timeout",
        "registry-storage-unreachable", "The host that keeps the image's data, bucket.s3.eu-central-1.amazonaws.com, can't be reached: it did not answer in time. The")]
    [InlineData(
        "Get " + Store + ": dial tcp: lookup bucket.s3.eu-central-1.amazonaws.com: no such host",
        "registry-storage-unreachable", "The host that keeps the image's data, bucket.s3.eu-central-1.amazonaws.com, can't be reached: its name can't be resolved. The")]
    [InlineData(
        "download failed after attempts=6: dial tcp 10.0.0.1:443: connect: no route to host",
        "registry-storage-unreachable", "The host that keeps the image's data, 10.0.0.1:443, can't be reached: there is no route to it. The")]
    [InlineData(
        "Get \"https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/v2/\": net/http: request canceled while waiting for connection",
        "registry-unreachable", "The registry 123456789012.dkr.ecr.eu-central-1.amazonaws.com can't be reached: it did not answer in time.")]
    // An engine with containerd's image store reports the registry's own message, or only a status.
    [InlineData(Expired, "registry-token-refused", "The registry refused the token for " + Ref + ": denied: Your authorization token has expired. Reauthenticate and try again.")]
    [InlineData(Denial, "registry-denied", "The instance role may not pull " + Ref + ": denied: User: arn:aws:sts::123456789012:assumed-role/rag/i-0abc is not authorized")]
    [InlineData(NoRepository, "registry-repository-missing", "The repository of " + Ref + " does not exist: name unknown: ")]
    [InlineData(NoTag, "registry-tag-missing", Ref + " does not exist: the repository has no such tag.")]
    [InlineData("failed to resolve reference \"" + Ref + "\": " + Ref + ": not found", "registry-tag-missing", Ref + " does not exist: the repository has no such tag.")]
    [InlineData(
        "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
        "registry-token-refused", "The registry refused the token for ")]
    [InlineData(
        "failed to resolve reference \"" + Ref + "\": unexpected status from HEAD request to https://x/v2/app/manifests/latest: 403 Forbidden",
        "registry-token-refused", "The registry refused the token for ")]
    [InlineData("unexpected status from HEAD request to https://x/v2/app/manifests/latest: 401 Unauthorized", "registry-token-refused", "The registry refused the token for ")]
    [InlineData(
        "unexpected status from HEAD request to https://x/v2/app/manifests/latest: 429 Too Many Requests", "registry-throttled",
        "The registry is throttling requests for " + Ref + ".")]
    [InlineData("no match for platform in manifest: not found", "image-platform", Ref + " has no image for this machine: ")]
    public void Errors_of_an_engine_are_recognized_with_either_image_store(string text, string code, string beginning)
    {
        var problem = RegistryProblems.From(text, null, Ref);

        Assert.Equal(code, problem.Code);
        Assert.StartsWith(beginning, problem.What, StringComparison.Ordinal);
        Assert.EndsWith(".", problem.What, StringComparison.Ordinal);
        Assert.DoesNotContain("..", problem.What, StringComparison.Ordinal);
        Assert.NotEmpty(problem.Remedy);
    }

    [Theory]
    [InlineData("""{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}""", 403, "registry-token-refused")]
    [InlineData("""{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""", 401, "registry-token-refused")]
    [InlineData("Not Authorized", 401, "registry-token-refused")]
    [InlineData("""{"errors":[{"code":"DENIED","message":"User: arn:x is not authorized to perform: ecr:BatchGetImage on resource: y"}]}""", 403, "registry-denied")]
    [InlineData("""{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}""", 403, "registry-denied")]
    [InlineData("", 403, "registry-denied")]
    [InlineData(
        """{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'app' does not exist in the registry with id '123456789012'"}]}""",
        404, "registry-repository-missing")]
    [InlineData("""{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}""", 404, "registry-tag-missing")]
    [InlineData("""{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}""", 429, "registry-throttled")]
    [InlineData("", 429, "registry-throttled")]
    [InlineData("<html>bad gateway</html>", 502, "registry")]
    public void Errors_of_the_registry_itself_are_recognized(string body, int status, string code) =>
        Assert.Equal(code, RegistryProblems.From(RegistryProblems.ErrorText(body), (HttpStatusCode)status, Ref).Code);

    [Theory]
    [InlineData("registry-denied", "Allow the role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on this repository. No restart is needed.", Denial)]
    [InlineData("registry-repository-missing", "Create it ('aws ecr create-repository') and push an image, or correct image (and aws.region) in the configuration.", NoRepository)]
    [InlineData("registry-tag-missing", "Push an image with this tag, or correct image in the configuration. " + ExceptionMapping.RetriesAutomatically, NoTag)]
    [InlineData("registry-token-refused", "The agent requests a new token.", Expired)]
    public void Each_registry_problem_has_a_remedy(string code, string remedy, string text)
    {
        var problem = RegistryProblems.From(text, null, Ref);

        Assert.Equal((code, remedy), (problem.Code, problem.Remedy));
    }

    [Fact]
    public void A_throttled_engine_reports_no_Retry_After() =>
        Assert.Null(RegistryProblems.From("toomanyrequests: Rate exceeded", null, Ref).RetryAfter);

    [Fact]
    public void A_response_without_a_body_is_reported_by_its_status() =>
        Assert.Equal($"Could not get {Ref} from the registry: HTTP 418.", RegistryProblems.From("", (HttpStatusCode)418, Ref).What);

    [Fact]
    public void Only_the_start_of_a_foreign_page_is_shown() => Assert.Equal(300, RegistryProblems.ErrorText(new string('x', 5000)).Length);

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""{"errors":[7]}""")]
    [InlineData("""{"errors":[]}""")]
    [InlineData("""{"errors":[{"code":7}]}""")]
    public void JSON_of_another_shape_is_shown_unchanged(string body) => Assert.Equal(body, RegistryProblems.ErrorText(body));

    [Fact]
    public void Any_text_becomes_a_complete_problem() =>
        Gen.String.Sample(text =>
            RegistryProblems.From(RegistryProblems.ErrorText(text), null, Ref) is
            { Code.Length: > 0, What.Length: > 0, Remedy.Length: > 0 });
}
