using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>The way to AWS without any credentials: its name, its certificate, and whether the clocks agree.</summary>
internal sealed class EndpointsCheck(AwsAccount account, TimeProvider time) : ICheck
{
    /// <summary>AWS refuses signatures that are older or younger than this.</summary>
    private static readonly TimeSpan MostApart = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan WorthSaying = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    public string Name => "endpoints";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var address = new EcrClientConfig(await account.RegionAsync(stopping)).Address;
        using var http = new HttpClient { Timeout = AnswerWithin };
        try
        {
            using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stopping);
            return Judge(address.Host, answer.Headers.Date - time.GetUtcNow());
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !stopping.IsCancellationRequested)
        {
            var cause = Problems.DescribeCause(e);
            throw new ProblemException(new Problem("ecr-unreachable", $"AWS at {address.Authority} can't be reached: {cause}.", e.GetBaseException() is System.Security.Authentication.AuthenticationException
                ? "Check the clock ('timedatectl') and the certificates (package ca-certificates); a proxy that opens TLS needs its own authority there."
                : "Check DNS ('resolvectl query …'), the subnet's route to the internet (a private one needs a NAT gateway or VPC endpoints for ecr.api, ecr.dkr, ssm and s3) and the security group's outgoing rules (443)."), e);
        }
    }

    /// <param name="host">Who told the time.</param>
    /// <param name="ahead">By how much its clock is ahead of ours; null: it told none.</param>
    public static CheckResult Judge(string host, TimeSpan? ahead) => ahead switch
    {
        null => CheckResult.Ok($"{host} answers, with a certificate that is trusted."),
        { } by when by.Duration() > MostApart => CheckResult.Failed(new Problem("aws-signature",
            $"This machine's clock is {Words.Span(by.Duration())} {(by > TimeSpan.Zero ? "behind" : "ahead of")} AWS's, which refuses what is signed more than 5 minutes apart.", "Set it: 'timedatectl set-ntp true' (Amazon's time server is 169.254.169.123).")),
        { } by when by.Duration() > WorthSaying => CheckResult.Warning($"{host} answers, but this machine's clock is {Words.Span(by.Duration())} {(by > TimeSpan.Zero ? "behind" : "ahead of")} its.", "Set it: 'timedatectl set-ntp true'."),
        _ => CheckResult.Ok($"{host} answers, with a certificate that is trusted, and the clocks agree."),
    };
}
