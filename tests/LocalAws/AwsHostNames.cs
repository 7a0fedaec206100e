namespace LocalAws;

/// <summary>The names that AWS's clients ask for when nobody tells them another endpoint.</summary>
/// <param name="Region">Of all of them.</param>
/// <param name="AccountId">The registry's.</param>
public sealed record AwsHostNames(string Region, string AccountId)
{
    public string ParameterStore => $"ssm.{Region}.amazonaws.com";

    public string Ecr => $"api.ecr.{Region}.amazonaws.com";

    public string Ec2 => $"ec2.{Region}.amazonaws.com";

    /// <summary>Of all regions.</summary>
    public static string Route53 => "route53.amazonaws.com";

    public string Registry => $"{AccountId}.dkr.ecr.{Region}.amazonaws.com";

    /// <summary>Where ECR's blobs are.</summary>
    public string Storage => $"prod-{Region}-starport-layer-bucket.s3.{Region}.amazonaws.com";
}
