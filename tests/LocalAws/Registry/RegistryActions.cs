using LocalAws.Requests;

namespace LocalAws.Registry;

/// <summary>The IAM action that ECR checks for a request to the registry's API.</summary>
public static class RegistryActions
{
    /// <returns>Null for requests that need a login but no permission.</returns>
    public static string? ActionFor(string operation, string method) => (operation, method) switch
    {
        (Operations.RegistryManifest, "PUT") => "ecr:PutImage",
        (Operations.RegistryManifest, _) => "ecr:BatchGetImage",
        (Operations.RegistryBlob, "HEAD") => "ecr:BatchCheckLayerAvailability",
        (Operations.RegistryBlob, _) => "ecr:GetDownloadUrlForLayer",
        (Operations.RegistryUpload, "POST") => "ecr:InitiateLayerUpload",
        (Operations.RegistryUpload, "PATCH") => "ecr:UploadLayerPart",
        (Operations.RegistryUpload, _) => "ecr:CompleteLayerUpload",
        _ => null,
    };
}
