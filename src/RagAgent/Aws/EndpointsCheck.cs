using System.Security.Authentication;
using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>Can AWS be reached (name, route, certificate), and do the clocks agree? Needs no credentials.</summary>
internal sealed class EndpointsCheck(AwsContext context, TimeProvider time) : ICheck
{
    /// <summary>AWS rejects signatures that differ more than this from its own clock.</summary>
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan ClockSkewWarning = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);

    private const string TlsRemedy =
        "Check the clock ('timedatectl') and the certificates (package ca-certificates). A proxy that inspects TLS needs its own CA there.";

    private const string NetworkRemedy =
        "Check DNS ('resolvectl query …'), the subnet's route to the internet (a private one needs a NAT gateway or VPC endpoints for " +
        "ecr.api, ecr.dkr, ssm and s3) and the security group's outbound rules (port 443).";

    public string Name => "endpoints";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var endpoint = new EcrClientConfig(await context.RegionAsync(stopping)).EndpointUri;
        using var http = new HttpClient { Timeout = ResponseTimeout };
        try
        {
            using var response = await http.GetAsync(endpoint, HttpCompletionOption.ResponseHeadersRead, stopping);
            return Evaluate(endpoint.Host, response.Headers.Date - time.GetUtcNow());
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.EcrUnreachable,
                $"AWS at {endpoint.Authority} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                exception.GetBaseException() is AuthenticationException ? TlsRemedy : NetworkRemedy), exception);
        }
    }

    /// <param name="host">The host whose clock is compared.</param>
    /// <param name="clockOffset">How far its clock is ahead of this machine's; null if it sent no time.</param>
    public static CheckResult Evaluate(string host, TimeSpan? clockOffset)
    {
        if (clockOffset is not { } offset)
        {
            return CheckResult.Ok($"{host} answers with a trusted certificate.");
        }
        var difference = $"{Humanize.Duration(offset.Duration())} {(offset > TimeSpan.Zero ? "behind" : "ahead of")}";
        return offset.Duration() switch
        {
            var skew when skew > MaxClockSkew => CheckResult.Of(new Problem(ProblemCatalog.AwsSignature,
                $"This machine's clock is {difference} AWS's. AWS rejects requests signed more than 5 minutes off.",
                "Run 'timedatectl set-ntp true' (Amazon's time server is 169.254.169.123).")),
            var skew when skew > ClockSkewWarning => CheckResult.Warning(
                $"{host} answers, but this machine's clock is {difference} its clock.", "Run 'timedatectl set-ntp true'."),
            _ => CheckResult.Ok($"{host} answers with a trusted certificate, and the clocks agree."),
        };
    }
}
