using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Proxy.Tls;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The doctor's check of HTTPS.</summary>
public sealed class CertificateCheckTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TestCertificateAuthority _authority = new();
    private bool? _mayRead = true;
    private string? _socket = "ActiveState=active\nListen=[::]:80 (Stream)\nListen=[::]:443 (Stream)\n";
    private TlsConfig _tls;

    public CertificateCheckTests()
    {
        _authority.Issue(Now, TimeSpan.FromDays(90));
        _tls = new TlsConfig { Certificate = _authority.Certificate, Key = _authority.Key, Challenge = _authority.Folder };
    }

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_valid_certificate_passes() =>
        Assert.Equal(
            CheckResult.Ok("The certificate for rag.example.com, 127.0.0.1, issued by Test Intermediate, is valid until 2026-05-30."),
            await RunAsync());

    [Fact]
    public async Task Without_HTTPS_the_check_is_skipped()
    {
        _tls = new TlsConfig();
        Assert.Equal(CheckOutcome.Skipped, (await RunAsync(https: null)).Outcome);
    }

    [Fact]
    public async Task A_file_that_the_service_user_may_not_read_fails_even_if_root_may()
    {
        _mayRead = false;
        var result = await RunAsync();
        Assert.Equal((CheckOutcome.Failed, "certificate-denied"), (result.Outcome, result.Code));
        Assert.Contains("The user ragagent may not read", result.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unusable_pair_fails()
    {
        File.Delete(_authority.Key);
        Assert.Equal("certificate-missing", (await Assert.ThrowsAsync<ProblemException>(() => RunAsync())).Problem.Code);
    }

    [Fact]
    public async Task A_setup_that_works_but_should_change_is_a_warning()
    {
        _tls = _tls with { Challenge = "/nowhere" };
        Assert.Equal((CheckOutcome.Warning, "mkdir -p /nowhere"), Describe(await RunAsync()));
        _tls = _tls with { Challenge = null };

        _socket = "ActiveState=active\nListen=[::]:80 (Stream)\n";
        Assert.Contains("ragagent.socket does not hold port 443", (await RunAsync()).What, StringComparison.Ordinal);
        _socket = null;
        Assert.Equal(CheckOutcome.Ok, (await RunAsync()).Outcome);

        _authority.Issue(Now, TimeSpan.FromDays(90), withChain: false);
        Assert.Equal((CheckOutcome.Warning, "Set tls.certificate to certbot's fullchain.pem, not cert.pem."), Describe(await RunAsync()));
        _authority.Issue(Now.AddDays(-80), TimeSpan.FromDays(90));
        Assert.Contains("in 10 days, and has not been renewed yet", (await RunAsync()).What, StringComparison.Ordinal);
    }

    private static (CheckOutcome, string?) Describe(CheckResult result) => (result.Outcome, result.Remedy);

    private Task<CheckResult> RunAsync(int? https = 443) =>
        new CertificateCheck(
            new AgentConfig { Image = "app", Listen = new ListenConfig { Https = https }, Tls = _tls }, new FakeTimeProvider(Now))
        {
            MayRead = (_, _) => Task.FromResult(_mayRead),
            SocketUnit = _ => Task.FromResult(_socket is null ? null : Systemctl.ParseProperties(_socket)),
        }.RunAsync(TestContext.Current.CancellationToken);
}
