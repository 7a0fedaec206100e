namespace LocalAws.Requests;

/// <summary>The names for recording requests and setting faults. A signed call has the name of its IAM action.</summary>
public static class Operations
{
    public const string ImdsToken = "imds-token";
    public const string ImdsRole = "imds-role";
    public const string ImdsCredentials = "imds-credentials";
    public const string ImdsOther = "imds-other";
    public const string RegistryManifest = "registry:manifest";
    public const string RegistryBlob = "registry:blob";
    public const string RegistryUpload = "registry:upload";
    public const string RegistryOther = "registry:other";

    /// <summary>For faults only: any request to the registry.</summary>
    public const string RegistryAny = "registry:any";

    /// <summary>
    /// The bytes of a blob after the registry's redirect. Not an operation of ECR: a pull of a blob is one <see cref="RegistryBlob"/>.
    /// </summary>
    public const string StorageBlob = "storage:blob";

    public const string GetParameter = "ssm:GetParameter";
    public const string StopInstances = "ec2:StopInstances";
    public const string ListResourceRecordSets = "route53:ListResourceRecordSets";
    public const string ChangeResourceRecordSets = "route53:ChangeResourceRecordSets";
    public const string GetAuthorizationToken = "ecr:GetAuthorizationToken";
}
