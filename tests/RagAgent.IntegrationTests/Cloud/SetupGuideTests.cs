using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Cloud;

/// <summary>
/// Types every command of docs/aws-setup.md into bash, with the real <c>aws</c> and <c>docker</c>, AWS on loopback,
/// and a <c>gh</c> command that only records its arguments.
/// </summary>
public sealed class SetupGuideTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Password = "a password of the guide";

    private static readonly string Guide = RepositoryFiles.PathOf("docs/aws-setup.md");

    private string Home => Path.Combine(Folder, "guide");

    private string App => Path.Combine(Home, "app");

    [Fact]
    public async Task The_AWS_guide_leads_from_an_empty_account_to_a_URL_and_back()
    {
        await using var fakeAws = await FakeAws.StartAsync(Aws.RegistryHost, $"127.0.0.1:{Port}");
        Aws.Parameters.Remove(Parameter);
        Aws.HostedZones.Add("Z0123456789ABCDEFGHIJ", "example.com");
        Aws.StopAccepted += fakeAws.MarkInstanceStopped;
        await PrepareAsync(fakeAws);

        // One bash runs the whole guide. It pauses where the reader opens the URL, which this test does.
        const string showUrl = "echo \"http://$ADDRESS/\"";
        // The test engine has no BuildKit.
        var commands = SetupGuide.Commands(Guide, "aws").Replace("DOCKER_BUILDKIT=1", "DOCKER_BUILDKIT=0", StringComparison.Ordinal);
        Assert.Contains(showUrl, commands, StringComparison.Ordinal);
        var typing = TypeAsync(
            commands.Replace(showUrl, $"{showUrl} >'{Home}/url.part'; mv '{Home}/url.part' '{Home}/url'; until [ -e '{Home}/seen' ]; do sleep 0.1; done", StringComparison.Ordinal),
            $"{Key}\n{Password}");
        while (!File.Exists(Path.Combine(Home, "url")))
        {
            Assert.False(typing.IsCompleted, typing.IsFaulted ? typing.Exception.ToString() : "The guide's commands ended before the URL was shown.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestCancellation);
        }

        // The agent of the stack's instance, with the configuration that the stack writes.
        var config = JsonNode.Parse(UserDataScripts.FromStack(fakeAws.Stack!).File("/etc/ragagent.json"))!;
        foreach (var key in new[] { "image", "secrets", "access" })
        {
            Config[key] = config[key]!.DeepClone();
        }
        StartAgent();
        await WaitUntilServingAsync();
        var url = new Uri(await File.ReadAllTextAsync(Path.Combine(Home, "url"), TestCancellation));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Http.GetAsync(url, TestCancellation)).StatusCode);
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Password}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, url)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", login) },
        };
        using var response = await Http.SendAsync(request, TestCancellation);
        Assert.Contains("<b id=\"version\">guide<", await response.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(Home, "seen"), "", TestCancellation);
        await typing;

        Assert.Equal([
            "secret set AWS_ACCESS_KEY_ID < AKIDLOCALAWSCIUSER00", "secret set AWS_SECRET_ACCESS_KEY < planted-ci-secret", "workflow run deploy.yml",
            "variable set AWS_DEPLOY_ROLE --body arn:aws:iam::123456789012:role/github-ragstream-ci", "secret delete AWS_ACCESS_KEY_ID", "secret delete AWS_SECRET_ACCESS_KEY"],
            (await File.ReadAllLinesAsync(Path.Combine(Home, "github"), TestCancellation)));
        static bool IsS3(string call) => call.StartsWith("s3:", StringComparison.Ordinal);
        Assert.Equal(
            [
                "CreateChangeSet", "ExecuteChangeSet", "SetStackPolicy", "ModifyInstanceAttribute", "CreateAccessKey", "StartInstances",
                "DeleteAccessKey", "CreateChangeSet", "ExecuteChangeSet",
                "CreateChangeSet", "ExecuteChangeSet", "DeleteAccessKey",
                "ModifyInstanceAttribute", "DeleteStack", "ecr:DeleteRepository", "ssm:DeleteParameters",
            ],
            fakeAws.Changes.Where(call => !IsS3(call)));
        Assert.Equal(
            ["PUT", "PUT", "GET", "DELETE"],
            fakeAws.Changes.Where(IsS3).Select(call => call["s3:".Length..].Split(' ')[0]));
        Assert.Equal(2, Aws.Requests.Count("ec2:StopInstances"));
        Assert.Null(fakeAws.Stack);
        // No file contains a secret.
        Assert.All(Directory.EnumerateFiles(Home, "*", SearchOption.AllDirectories).Select(File.ReadAllText), text =>
        {
            Assert.DoesNotContain(Key, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_AWS_guides_local_commands_serve_the_app()
    {
        var registry = FreePort();
        await PrepareAsync(fakeAws: null);
        await File.WriteAllTextAsync(Path.Combine(Folder, "registry.yml"), $$"""
            version: 0.1
            storage: { filesystem: { rootdirectory: {{Folder}}/registry } }
            http: { addr: "127.0.0.1:{{registry}}" }
            """, TestCancellation);
        DisposeWithTest(
            new AgentProcess("docker-registry", ["serve", Path.Combine(Folder, "registry.yml")], new Dictionary<string, string>()));
        await WaitUntilAsync(async () =>
        {
            try
            {
                return (await Http.GetAsync(new Uri($"http://127.0.0.1:{registry}/v2/"), TestCancellation)).IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, "the registry answers");

        // Only names and ports that other tests use too are replaced. The registry runs as a process, because its image can't be pulled
        // here.
        var commands = SetupGuide.Commands(Guide, "local")
            .Replace("localhost:5000", $"localhost:{registry}", StringComparison.Ordinal)
            .Replace("8080", $"{Port}", StringComparison.Ordinal)
            .Replace("/tmp/ragagent", RuntimeDirectory, StringComparison.Ordinal)
                .Replace("DOCKER_BUILDKIT=1", "DOCKER_BUILDKIT=0", StringComparison.Ordinal)
            .Replace("\"listen\"", $"\"container\": {{ \"name\": \"{Name}\" }},\n  \"listen\"", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("docker run ", commands[1], StringComparison.Ordinal);
        Assert.StartsWith("ragagent run ", commands[^1], StringComparison.Ordinal);
        await TypeAsync($"cd app\n{string.Join('\n', [commands[0], .. commands[2..^1]])}", $"{Key}\n");
        DisposeWithTest(new AgentProcess("bash", ["-c", $"cd '{App}' && exec {commands[^1]}"], Environment()));

        await WaitUntilServingAsync();
        Assert.Equal("guide", await ServedVersionAsync());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Home, "openai-key")));
        await Docker.RunAsync("rmi", "--force", $"localhost:{registry}/ragstream-web");
    }

    /// <summary>Creates the reader's two repositories and the programs that the guide calls.</summary>
    private async Task PrepareAsync(FakeAws? fakeAws)
    {
        Directory.CreateDirectory(Path.Combine(Home, "bin"));
        Directory.CreateDirectory(Path.Combine(Home, "packaging/cloudformation"));
        Directory.CreateDirectory(App);
        foreach (var file in new[] { "ragstream.yaml", "stack-policy.json" })
        {
            File.Copy(RepositoryFiles.PathOf($"packaging/cloudformation/{file}"), Path.Combine(Home, "packaging/cloudformation", file));
        }
        Program("bin/ragagent", $"exec '{EngineFixture.Binary}' \"$@\"");
        // Other tests build and install the real package.
        Program("packaging/build.sh", """
            mkdir -p dist/ragagent-0.1.0-linux-x64 && cp bin/ragagent dist/ragagent-0.1.0-linux-x64/
            tar czf dist/ragagent-0.1.0-linux-x64.tar.gz -C dist ragagent-0.1.0-linux-x64
            cd dist && sha256sum ragagent-0.1.0-linux-x64.tar.gz >ragagent-0.1.0-linux-x64.tar.gz.sha256
            """);
        Program("bin/gh", $$"""case "$1 $2" in "secret set") echo "$* < $(cat)" ;; *) echo "$*" ;; esac >>'{{Home}}/github'""");
        if (fakeAws is not null)
        {
            var environment = Aws.EnvironmentForAgent();
            // Older versions of the command don't read per-service endpoints from the environment. Presigning a URL needs no endpoint.
            Program("bin/aws", $$"""
                case "$1 $2" in
                  "s3 presign") exec /usr/bin/aws "$@" ;;
                  "ssm put-parameter") endpoint={{environment["AWS_ENDPOINT_URL_SSM"]}} ;;
                  "ecr get-login-password") endpoint={{environment["AWS_ENDPOINT_URL_ECR"]}} ;;
                  "ec2 stop-instances") endpoint={{environment["AWS_ENDPOINT_URL_EC2"]}} ;;
                  # With an endpoint URL, it has to be signed for us-east-1.
                  "route53 "*) endpoint={{environment["AWS_ENDPOINT_URL_ROUTE_53"]}}; set -- "$@" --region us-east-1 ;;
                  *) endpoint={{fakeAws.Endpoint}} ;;
                esac
                exec /usr/bin/aws "$@" --endpoint-url "$endpoint"
                """);
        }
        var image = $"guide-{Name}";
        await WithImageLockAsync(async () =>
        {
            var build = await EngineFixture.RunScriptAsync(
                "tests/fake-app/build.sh", "--engine", Docker.Host, "--tag", image, "--version", "guide", "--base", "full");
            build.AssertSucceeded();
        });
        await File.WriteAllTextAsync(Path.Combine(App, "Dockerfile.streamlit"), $"FROM {image}\n", TestCancellation);
    }

    private void Program(string name, string script)
    {
        var path = Path.Combine(Home, name);
        File.WriteAllText(path, $"#!/bin/bash\nset -eu\n{script}\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    private Dictionary<string, string> Environment() => new(AgentEnvironment.Concat(Docker.Environment).DistinctBy(v => v.Key))
    {
        ["HOME"] = Home,
        ["PATH"] = $"{Home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["AWS_MAX_ATTEMPTS"] = "1",
        // The aws command needs the trailing slash.
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = Aws.ApiEndpoint.ToString(),
    };

    private async Task<string> TypeAsync(string commands, string input) =>
        (await ProcessRunner.RunAsync(
            "bash", ["-euo", "pipefail", "-c", $"cd '{Home}'\n{commands}"], Environment(), input, TestCancellation)).AssertSucceeded();
}
