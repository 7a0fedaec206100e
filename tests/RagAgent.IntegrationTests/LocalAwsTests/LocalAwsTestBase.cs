using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>A LocalAws per test. Its clock stands still until the test advances it.</summary>
public abstract class LocalAwsTestBase : IAsyncLifetime
{
    protected const string StaticKeyId = "AKIDLOCALSTATIC";
    protected const string StaticSecret = "wJalrXUtnFEMI/K7MDENG+static";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("local-aws-");

    protected static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts at the real time, because the clients under test sign their requests with it.</summary>
    protected FakeTimeProvider Clock { get; } = new(TimeProvider.System.GetUtcNow());

    protected HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false });

    protected LocalAwsServer Aws { get; private set; } = null!;

    protected string Folder => _folder.FullName;

    protected virtual LocalAwsOptions Options => new()
    {
        StorageDirectory = Path.Combine(Folder, "storage"),
        StaticKeys = new Dictionary<string, string> { [StaticKeyId] = StaticSecret },
        Clock = Clock,
    };

    public virtual async ValueTask InitializeAsync() => Aws = await LocalAwsServer.StartAsync(Options, TestCancellation);

    public virtual async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (Aws is not null)
        {
            await Aws.DisposeAsync();
        }

        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Sends a request to the registry, by default with the publisher's login, which never expires.</summary>
    protected async Task<HttpResponseMessage> SendToRegistryAsync(HttpMethod method, string path, string? password = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Aws.RegistryEndpoint, path));
        request.Headers.Authorization = BasicLogin(password ?? Aws.DockerLogin.Password);
        request.Headers.Accept.ParseAdd("application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1");
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestCancellation);
    }

    protected static AuthenticationHeaderValue BasicLogin(string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("AWS:" + password)));

    protected static async Task AssertErrorAsync(HttpResponseMessage response, HttpStatusCode status, string code, string message)
    {
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestCancellation))!["errors"]![0]!;
        Assert.Equal(
            (status, code, message), (response.StatusCode, error["code"]!.GetValue<string>(), error["message"]!.GetValue<string>()));
    }

    /// <summary>Advances the clock in small steps until the task is done, so that timers fire on the way.</summary>
    protected async Task AdvanceClockUntilAsync(Task done)
    {
        while (!done.IsCompleted)
        {
            TestCancellation.ThrowIfCancellationRequested();
            Clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
    }
}
