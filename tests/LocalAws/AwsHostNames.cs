namespace LocalAws;

/// <summary>The host names that AWS clients use without a configured endpoint.</summary>
/// <param name="Region">The region in all names.</param>
/// <param name="AccountId">The registry's account.</param>
public sealed record AwsHostNames(string Region, string AccountId)
{
    public string ParameterStore => $"ssm.{Region}.amazonaws.com";

    public string Ecr => $"api.ecr.{Region}.amazonaws.com";

    public string Ec2 => $"ec2.{Region}.amazonaws.com";

    /// <summary>The same in all regions.</summary>
    public static string Route53 => "route53.amazonaws.com";

    public string Registry => $"{AccountId}.dkr.ecr.{Region}.amazonaws.com";

    /// <summary>The host of ECR's blobs.</summary>
    public string Storage => $"prod-{Region}-starport-layer-bucket.s3.{Region}.amazonaws.com";
}
