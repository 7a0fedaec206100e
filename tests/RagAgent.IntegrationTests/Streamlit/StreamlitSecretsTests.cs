using System.Security.Cryptography;
using System.Text;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary><c>container.streamlitSecrets</c> with real Streamlit.</summary>
public sealed class StreamlitSecretsTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    [Theory]
    [InlineData(StreamlitInstallation.WithUvicorn, false)]
    [InlineData(StreamlitInstallation.WithUvicorn, true)]
    [InlineData(StreamlitInstallation.WithTornado, false)]
    [InlineData(StreamlitInstallation.WithTornado, true)]
    public async Task The_app_has_its_secret_in_st_secrets_and_keeps_its_own_configuration(string version, bool readOnlyRoot)
    {
        ConfigureStreamlit();
        Config["container"]!["streamlitSecrets"] = true;
        Config["container"]!["readOnlyRoot"] = readOnlyRoot;
        await PushStreamlitAsync(version, "good/secrets_and_config");
        StartAgent();
        await WaitUntilServingAsync();

        await using var session = await StreamlitSession.OpenAsync(new Uri($"http://127.0.0.1:{Port}/"), TestCancellation);
        await session.RunAsync(TestCancellation);

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)));
        await session.WaitForTextAsync($"SHA-256 of the secret: {hash}.", TestCancellation);
        await session.WaitForTextAsync("Color: #123456.", TestCancellation);
    }
}
