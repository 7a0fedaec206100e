using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

/// <summary>The way to AWS without any credentials: its name, its certificate, and whether the clocks agree.</summary>
internal sealed class EndpointsCheck(AwsContext context, TimeProvider time) : ICheck
{
    /// <summary>AWS refuses signatures that are older or younger than this.</summary>
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan ClockSkewWarning = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);

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
            var cause = ExceptionMapping.DescribeCause(exception);
            throw new ProblemException(new Problem(ProblemCatalog.EcrUnreachable, $"AWS at {endpoint.Authority} can't be reached: {cause}.", exception.GetBaseException() is System.Security.Authentication.AuthenticationException
                ? "Check the clock ('timedatectl') and the certificates (package ca-certificates); a proxy that opens TLS needs its own authority there."
                : "Check DNS ('resolvectl query …'), the subnet's route to the internet (a private one needs a NAT gateway or VPC endpoints for ecr.api, ecr.dkr, ssm and s3) and the security group's outgoing rules (443)."), exception);
        }
    }

    /// <param name="host">Who told the time.</param>
    /// <param name="clockOffset">By how much its clock is ahead of ours; null: it told none.</param>
    public static CheckResult Evaluate(string host, TimeSpan? clockOffset) => clockOffset switch
    {
        null => CheckResult.Ok($"{host} answers, with a certificate that is trusted."),
        { } skew when skew.Duration() > MaxClockSkew => CheckResult.Failed(new Problem(ProblemCatalog.AwsSignature,
            $"This machine's clock is {Humanize.Duration(skew.Duration())} {(skew > TimeSpan.Zero ? "behind" : "ahead of")} AWS's, which refuses what is signed more than 5 minutes apart.", "Set it: 'timedatectl set-ntp true' (Amazon's time server is 169.254.169.123).")),
        { } skew when skew.Duration() > ClockSkewWarning => CheckResult.Warning($"{host} answers, but this machine's clock is {Humanize.Duration(skew.Duration())} {(skew > TimeSpan.Zero ? "behind" : "ahead of")} its.", "Set it: 'timedatectl set-ntp true'."),
        _ => CheckResult.Ok($"{host} answers, with a certificate that is trusted, and the clocks agree."),
    };
}
