namespace RagAgent.IntegrationTests.Cloud;

/// <summary>A call as IAM looks at it.</summary>
/// <param name="Action">Like ssm:GetParameter.</param>
/// <param name="Resource">Its ARN, or * for an action that knows none.</param>
internal sealed record IamCall(string Action, string Resource);
