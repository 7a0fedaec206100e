namespace RagAgent.IntegrationTests.Cloud;

/// <summary>An AWS call as IAM evaluates it.</summary>
/// <param name="Action">Such as ssm:GetParameter.</param>
/// <param name="Resource">The resource's ARN, or * for an action without resources.</param>
internal sealed record IamCall(string Action, string Resource);
