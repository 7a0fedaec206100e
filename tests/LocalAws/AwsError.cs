namespace LocalAws;

/// <summary>An error response of an AWS service: type, message (null where the real service sends none) and HTTP status.</summary>
public sealed record AwsError(string Type, string? Message, int Status)
{
    public static AwsError BadRequest(string type, string? message) => new(type, message, StatusCodes.Status400BadRequest);
}

/// <summary>Ends a call with <see cref="Error"/>.</summary>
public sealed class AwsErrorException(AwsError error) : Exception($"{error.Type}: {error.Message}")
{
    public AwsError Error => error;
}
