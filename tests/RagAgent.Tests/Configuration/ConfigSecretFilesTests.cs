using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigSecretFilesTests
{
    private const string OwnFolder = "must name a file in a folder of its own, like \"/run/secrets/openai\"; ";
    private const string WouldHide = OwnFolder + "the folder lies in memory and would hide what the image has there";
    private const string Kernel = OwnFolder + "/dev, /proc and /sys belong to the kernel";

    [Theory]
    [InlineData("/run/secrets/openai", "/run/secrets")]
    [InlineData("/secrets/openai", "/secrets")]
    [InlineData("/app/secrets/it's é.pem", "/app/secrets")]
    public void A_secret_can_be_a_file_in_a_folder_that_images_do_not_have(string path, string folder)
    {
        var config = AssertAccepted(ConfigWith($$""" "secrets": { "KEY": { "ssm": "/a", "path": "{{path}}" } } """));

        Assert.Equal(new SecretConfig(SecretSource.Ssm, "/a", Path: path), config.Secrets["KEY"]);
        Assert.Equal((folder, null), (config.SecretsFolder, config.StreamlitSecretsFile));
    }

    [Fact]
    public void Without_paths_there_is_no_folder()
    {
        var config = AssertAccepted(ConfigWith(""" "secrets": { "KEY": "/a", "OTHER": { "ssm": "/b", "path": null } } """));

        Assert.Equal((null, null), (config.SecretsFolder, config.StreamlitSecretsFile));
    }

    [Theory]
    [InlineData("7", "must be a path like \"/run/secrets/openai\", or null, but is a number")]
    [InlineData("\"key.pem\"", "must be an absolute path, beginning with '/'")]
    [InlineData("\"\"", "must be an absolute path, beginning with '/'")]
    [InlineData("\"/run/secrets/../key\"", "must be a path without '.' and '..' parts; write the resolved path")]
    [InlineData("\"/run/secrets/a:b\"", "must not contain ':'")]
    [InlineData("\"/run/secrets/a\\nb\"", "must be a path of at most 4096 characters, without control characters")]
    [InlineData("\"/\"", OwnFolder + "with single slashes and none at the end")]
    [InlineData("\"/run/secrets/\"", OwnFolder + "with single slashes and none at the end")]
    [InlineData("\"/run//secrets/a\"", OwnFolder + "with single slashes and none at the end")]
    [InlineData("\"/key\"", WouldHide)]
    [InlineData("\"/app/key\"", WouldHide)]
    [InlineData("\"/etc/key\"", WouldHide)]
    [InlineData("\"/run/key\"", WouldHide)]
    [InlineData("\"/tmp/key\"", WouldHide)]
    [InlineData("\"/proc/key\"", Kernel)]
    [InlineData("\"/proc/secrets/key\"", Kernel)]
    [InlineData("\"/dev/shm/key\"", Kernel)]
    [InlineData("\"/sys/fs/key\"", Kernel)]
    [InlineData(
        "\"/app/.streamlit/secrets.toml\"",
        "must not be in a folder .streamlit, which would hide the image's config.toml; "
        + "for st.secrets, set \"container\": { \"streamlitSecrets\": true } instead")]
    public void An_invalid_path_is_rejected_and_not_shown(string path, string expected) =>
        Assert.Equal($"secrets.KEY.path: {expected}", AssertSingleError(ConfigWith($$""" "secrets": { "KEY": { "ssm": "/a", "path": {{path}} } } """)));

    [Fact]
    public void All_files_are_in_one_folder_and_each_holds_one_secret() =>
        Assert.Equal(
            [
                "ragagent.json:3:29: secrets.B.path: must be in the same folder as secrets.A.path (line 2): one folder lies in memory",
                "ragagent.json:4:29: secrets.C.path: is already the path of secrets.A (line 2); each file holds one secret",
            ],
            ErrorLines("""
                { "image": "app", "secrets": {
                "A": { "ssm": "/a", "path": "/run/secrets/a" },
                "B": { "ssm": "/b", "path": "/secrets/b" },
                "C": { "ssm": "/c", "path": "/run/secrets/a" } } }
                """));

    [Fact]
    public void A_file_needs_delivery_through_memory() =>
        Assert.Equal(
            "secrets.KEY.delivery: must be \"memory\" for a secret with a path: the engine writes an environment to disk",
            AssertSingleError(ConfigWith(""" "secrets": { "KEY": { "ssm": "/a", "path": "/run/secrets/a", "delivery": "environment" } } """)));

    [Theory]
    [InlineData("/run/secrets")]
    [InlineData("/run/secrets/data")]
    [InlineData("/run")]
    public void A_file_can_not_share_a_folder_with_a_volume(string volume) =>
        Assert.Equal(
            $"secrets.KEY.path: must not share a folder with the volume \"{volume}\"; choose another folder",
            AssertSingleError(ConfigWith(
                $$""" "secrets": { "KEY": { "ssm": "/a", "path": "/run/secrets/a" } }, "container": { "volumes": [ { "host": "/v", "container": "{{volume}}" } ] } """)));

    [Fact]
    public void A_volume_with_a_similar_name_is_accepted() =>
        AssertAccepted(ConfigWith(
            """ "secrets": { "KEY": { "ssm": "/a", "path": "/run/secrets/a" } }, "container": { "volumes": [ { "host": "/v", "container": "/run/secrets2" } ] } """));

    [Theory]
    [InlineData("\"KEY\": \"/a\"", "/run/ragagent/secrets.toml")]
    [InlineData("\"KEY\": \"/a\", \"CERT\": { \"ssm\": \"/b\", \"path\": \"/run/secrets/cert\" }", "/run/secrets/secrets.toml")]
    public void The_file_of_Streamlit_is_in_the_folder_of_the_others(string secrets, string file) =>
        Assert.Equal(file, AssertAccepted(ConfigWith($$""" "secrets": { {{secrets}} }, "container": { "streamlitSecrets": true } """)).StreamlitSecretsFile);

    [Theory]
    [InlineData("", "needs a secret without a path: only those are in st.secrets")]
    [InlineData(
        "\"secrets\": { \"KEY\": { \"ssm\": \"/a\", \"path\": \"/run/secrets/a\" } },", "needs a secret without a path: only those are in st.secrets")]
    [InlineData(
        "\"secrets\": { \"KEY\": { \"ssm\": \"/a\", \"delivery\": \"environment\" } },",
        "needs \"memory\" delivery of every secret, but secrets.KEY (line 1) has \"environment\"")]
    [InlineData(
        "\"secrets\": { \"KEY\": \"/a\" }, \"environment\": { \"STREAMLIT_SECRETS_FILES\": \"/x.toml\" },",
        "sets STREAMLIT_SECRETS_FILES, which is also in environment (line 1); remove one of them")]
    [InlineData(
        "\"secrets\": { \"KEY\": \"/a\", \"STREAMLIT_SECRETS_FILES\": \"/b\" },",
        "sets STREAMLIT_SECRETS_FILES, which is also in secrets (line 1); remove one of them")]
    public void Secrets_for_Streamlit_need_variables_in_memory_and_no_other_file(string others, string expected) =>
        Assert.Equal(
            $"container.streamlitSecrets: {expected}",
            AssertSingleError(ConfigWith($$""" {{others}} "container": { "streamlitSecrets": true } """)));

    [Fact]
    public void The_file_of_Streamlit_can_not_be_in_a_volume() =>
        Assert.Equal(
            "container.streamlitSecrets: needs the folder /run/ragagent, which the volume \"/run/ragagent\" hides",
            AssertSingleError(ConfigWith(
                """ "secrets": { "KEY": "/a" }, "container": { "streamlitSecrets": true, "volumes": [ { "host": "/v", "container": "/run/ragagent" } ] } """)));

    [Fact]
    public void The_file_of_Streamlit_can_not_be_another_secrets() =>
        Assert.Equal(
            "secrets.B.path: is the file that container.streamlitSecrets writes; choose another name",
            AssertSingleError(ConfigWith(
                """ "secrets": { "A": "/a", "B": { "ssm": "/b", "path": "/s/secrets.toml" } }, "container": { "streamlitSecrets": true } """)));

    [Fact]
    public void The_password_has_no_path() =>
        Assert.StartsWith(
            "access.password: unknown key",
            AssertSingleError(ConfigWith(""" "access": { "password": { "ssm": "/a", "path": "/run/secrets/a" } } """)),
            StringComparison.Ordinal);
}
